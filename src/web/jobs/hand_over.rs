//! Handing a job over: to whom, and the file with which he goes on before either of you sees a network.

use maud::html;
use pages::reply::Reply;
use pages::visit::part;
use pages::widgets::{self, Weight};
use records::id::DocId;
use records::kinds::number;

use crate::cli::bundle;
use crate::cli::fault::Fault;
use crate::keys::random;
use crate::notebook::find::{self, Wanted};
use crate::notebook::hand_over;
use crate::notebook::people;
use crate::notebook::refusal::NotebookError;
use crate::web::desk::{Desk, Leaf, Place};
use crate::web::jobs::JOBS;

/// Returns the page that asks to whom.
pub(super) fn page(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    desk.page(&leaf(desk, id)?)
}

fn leaf(desk: &Desk<'_>, id: &str) -> Result<Leaf, Fault> {
    let (job, colleagues) = desk.with(|store| {
        let (job, _) = find::document(store, id, JOBS)?;
        Ok((job.id, people::colleagues(store)?))
    })?;
    let named: Vec<(String, String)> =
        colleagues.into_iter().map(|(id, code, name)| (id.to_string(), format!("{name} {code}"))).collect();
    let options: Vec<(&str, &str)> = named.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let chosen = desk.visit.form.get("to").unwrap_or_default();
    let content = html! {
        p { (desk.say("web.job.hand_over.about")) }
        (desk.form(&format!("/jobs/{job}/hand-over"), &html! {
            (widgets::select("to", &desk.say("web.job.colleague"), &options, chosen))
            (widgets::button(Weight::First, &desk.say("web.job.hand_over.file"), Some(("do", "file"))))
            (widgets::button(Weight::Second, &desk.say("web.job.hand_over.only"), Some(("do", "step"))))
        }))
    };
    let title = desk.say("web.job.hand_over");
    Ok(Leaf { place: Place::Today, title, back: Some(format!("/jobs/{job}")), content })
}

/// Hands the job over; the file comes down where it was asked for.
pub(super) fn hand(desk: &Desk<'_>, id: &str) -> Result<Reply, Fault> {
    let form = &desk.visit.form;
    let to = form.get("to").unwrap_or_default();
    let done = if form.get("do") == Some("file") {
        with_file(desk, id, to).map(|(name, bytes)| Reply::download("application/octet-stream", &name, bytes))
    } else {
        desk.with(|store| {
            let (colleague, _) = find::document(store, to, Wanted::Kind(number::STAFF))?;
            hand_over::hand_over(store, id, colleague.id, desk.now())
        })
        .map(|_| Reply::go(&format!("/jobs/{}?done=handed_over", part(id))))
    };
    match done {
        Ok(reply) => Ok(reply),
        Err(fault) => desk.refused(&leaf(desk, id)?, &fault),
    }
}

/// The file is sealed to the colleague's devices; it lies in the home only while it is written.
fn with_file(desk: &Desk<'_>, id: &str, to: &str) -> Result<(String, Vec<u8>), Fault> {
    let chance: [u8; 8] = random().map_err(NotebookError::from)?;
    let path = desk.held.home().join(format!("hand-over-{:016x}", u64::from_be_bytes(chance)));
    let now = desk.now();
    let written = desk.with(|store| {
        let (colleague, _) = find::document(store, to, Wanted::Kind(number::STAFF))?;
        Ok(bundle::hand_over_file(store, id, colleague.id, &path, now))
    })?;
    let bytes = written.and_then(|(handed, _)| {
        let bytes = std::fs::read(&path).map_err(|error| Fault::file(&path, &error))?;
        Ok((name(handed.job), bytes))
    });
    // It was read into memory, or never written.
    let _ = std::fs::remove_file(&path);
    bytes
}

fn name(job: DocId) -> String {
    format!("{}.fieldbook", job.code())
}
