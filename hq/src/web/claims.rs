//! A claim's whole story on one page, its pictures, its papers.

mod files;
pub(super) mod paged;
pub(super) mod parts;
pub(super) mod waiting;

use maud::html;
use pages::reply::Reply;
use pages::visit;
use pages::widgets;

use crate::cli::answer::Fault;
use crate::cli::print;
use crate::money::rows::instant;
use crate::money::story::Story;
use crate::web::claims::parts::Names;
use crate::web::desk::{Desk, Leaf, Place};

/// Returns the answer to a look below `/claims`.
pub(super) fn answer(desk: &Desk<'_>, rest: &[&str]) -> Result<Reply, Fault> {
    match rest {
        [id] => page(desk, id),
        [id, "papers.pdf"] => papers(desk, id),
        [id, "files", hash] => files::file(desk, id, hash),
        _ => Err(Fault::usage("console.fault.no_page")),
    }
}

/// Returns a claim with everything that is known of it.
fn page(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (staff, today) = (desk.person.staff, desk.today());
    let (story, names, seats) = desk.look(|office| {
        let seats = office.seats(staff, today)?;
        Ok((office.story(name, &seats, today)?, Names::read(office)?, seats))
    })?;
    let claim = &story.known.held.claim;
    let at = parts::address(story.known.held.record.id);
    let lines: Vec<_> = claim.lines.iter().collect();
    let ways = ways(desk, &story, &seats);
    Ok(desk.page(&Leaf {
        place: Place::Lists,
        title: story.known.held.no(),
        back: Some("/".to_owned()),
        content: html! {
            (parts::head(desk, &story, &names))
            div.actions {
                @for (href, label) in &ways { (widgets::way(href, label)) }
                (widgets::way(&format!("{at}/papers.pdf"), &desk.say("money.papers")))
            }
            h2 { (desk.say("money.lines")) }
            (parts::lines(desk, &story, &lines))
            (parts::findings(desk, &story, None))
            (parts::alerts(desk, &story, &names))
            (parts::questions(desk, &story, &names))
            h2 { (desk.say("money.decisions")) }
            (parts::decisions(desk, &story, &names))
            h2 { (desk.say("money.clocks")) }
            (parts::clocks(desk, &story))
            h2 { (desk.say("money.vouchers")) }
            @for line in &claim.lines {
                h3 { (line.n) " · " (parts::category(desk, line.category)) " · " (line.claimed) }
                (parts::findings(desk, &story, Some(line.n)))
                (parts::vouchers(desk, &story, line))
            }
            h2 { (desk.say("money.sheets")) }
            (parts::sheets(desk, &story))
        },
    }))
}

/// Returns where this person can do something about the claim.
fn ways(desk: &Desk<'_>, story: &Story, seats: &[crate::money::seats::Seat]) -> Vec<(String, String)> {
    let id = visit::part(&story.known.held.record.id.to_string());
    let open = |steps: &[&str]| steps.iter().any(|step| parts::seated(seats, step, story).is_some());
    let desks: [(&str, &[&str]); 3] = [
        ("review", &["sup_approve", "gm_approve"]),
        ("audit", &["audit", "answer"]),
        ("approve", &["mgr_approve", "vp_approve", "confirm_reject", "unfreeze"]),
    ];
    let ways = desks.into_iter().filter(|(_, steps)| open(steps));
    ways.map(|(place, _)| (format!("/{place}/{id}"), desk.say(&format!("console.tab.{place}")))).collect()
}

/// Returns the claim's papers as a PDF file.
fn papers(desk: &Desk<'_>, name: &str) -> Result<Reply, Fault> {
    let (staff, today, now) = (desk.person.staff, desk.today(), instant(desk.now_ms()));
    let no = desk.look(|office| {
        let seats = office.seats(staff, today)?;
        Ok(office.claim_for(name, &seats)?.no())
    })?;
    let lang = desk.lang;
    let (papers, _) =
        desk.console.read(|office| print::claim_pdf(office, name, now, lang, &desk.console.font_folders))?;
    Ok(Reply::download("application/pdf", &format!("{no}.pdf"), papers))
}
