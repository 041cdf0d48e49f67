//! Whether HQ has it: what is only here and how old, what the last sync proved, and sync by hand, by file, as a backup.

use std::path::PathBuf;
use std::time::Duration;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::widgets::{self, Column, Row, Tone};
use records::time::Ts;

use crate::bundle::{hand_over, receipt, relay, work};
use crate::cli::fault::{Exit, Fault};
use crate::cli::status::{bytes, duration};
use crate::keys::random;
use crate::notebook::level::Level;
use crate::notebook::list::{self, Line};
use crate::notebook::refusal::NotebookError;
use crate::notebook::status::Status;
use crate::sync::report::SyncReport;
use crate::web::desk::{Desk, Leaf, Place};

/// So long a page waits for a sync that was asked for; then it says that it goes on.
const WAIT: Duration = Duration::from_secs(8);
/// What a browser gets as one file; a larger backup is written by the command.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Records that the list of what is only here shows.
const ROWS: usize = 50;

struct Seen {
    status: Status,
    level: Level,
    here: Vec<(Line, Ts)>,
    last: Option<SyncReport>,
}

/// Returns the page; whoever opens it wants to know, so that what HQ lacks sets out at once.
pub(super) fn page(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let seen = seen(desk)?;
    if seen.status.counts.unsent_ops > 0
        || seen.status.files.waiting > 0
        || desk.courier.standing().failed > 0
    {
        desk.courier.hurry();
    }
    desk.page(&leaf(desk, &seen))
}

/// Returns the piece of the page that changes by itself.
pub(super) fn state(desk: &Desk<'_>) -> Result<Reply, Fault> {
    Ok(Reply::page(moving(desk, &seen(desk)?)))
}

/// Syncs, and waits some seconds for the end.
pub(super) fn now(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let ended = desk.courier.sync_now(WAIT);
    let done = match (ended, desk.courier.failure(Clone::clone)) {
        (true, Some(fault)) => return desk.refused(&leaf(desk, &seen(desk)?), &fault),
        (true, None) => "synced",
        (false, _) => "syncing",
    };
    Ok(Reply::go(&format!("/sync?done={done}")))
}

/// Returns everything that HQ lacks as one file for a stick.
pub(super) fn write(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let path = Beside::new(desk)?;
    let written = desk.held.with(|store| work::write(store, desk.now(), &path.0));
    written.map_err(|error| crate::cli::bundle::fault(error, &path.0))?;
    path.download(&name(desk, "fbx")?)
}

/// Takes in a file that somebody brought.
pub(super) fn read(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let Some(upload) = desk.visit.uploads("bundle").next() else {
        return Err(Fault::new(Exit::Usage, "web.sync.no_file"));
    };
    let path = Beside::new(desk)?;
    std::fs::write(&path.0, &upload.bytes).map_err(|error| Fault::file(&path.0, &error))?;
    let done = desk.held.with(|store| {
        use sync_protocol::bundle::BundleKind;
        match crate::bundle::header(&path.0)?.kind {
            BundleKind::Receipt => receipt::read(store, desk.now(), &path.0).map(|_| "bundle_receipt"),
            BundleKind::Work => relay::keep(store, &path.0).map(|_| "bundle_kept"),
            BundleKind::HandOver => hand_over::read(store, desk.now(), &path.0).map(|_| "bundle_handed"),
        }
    });
    match done {
        Ok(done) => Ok(Reply::go(&format!("/sync?done={done}"))),
        Err(error) => desk.refused(
            &leaf(desk, &seen(desk)?),
            &crate::cli::bundle::fault(error, std::path::Path::new(&upload.name)),
        ),
    }
}

/// Returns a backup of the home.
pub(super) fn back_up(desk: &Desk<'_>) -> Result<Reply, Fault> {
    let path = Beside::new(desk)?;
    desk.held
        .apart(|home| crate::backup::back_up(home, &path.0, desk.now()))
        .map_err(|error| crate::cli::backup::fault_of(error, &path.0))?;
    path.download(&name(desk, "fbbackup")?)
}

/// A file beside the home that goes with this value.
struct Beside(PathBuf);

impl Beside {
    fn new(desk: &Desk<'_>) -> Result<Self, Fault> {
        let chance: [u8; 8] = random().map_err(NotebookError::from)?;
        Ok(Self(desk.held.home().with_extension(format!("{:016x}.part", u64::from_be_bytes(chance)))))
    }

    fn download(&self, name: &str) -> Result<Reply, Fault> {
        let failed = |error: std::io::Error| Fault::file(&self.0, &error);
        let length = std::fs::metadata(&self.0).map_err(failed)?.len();
        if length > FILE_BYTES_MAX {
            return Err(Fault::new(Exit::Refused, "web.sync.too_large").with("size", &bytes(length)));
        }
        Ok(Reply::download("application/octet-stream", name, std::fs::read(&self.0).map_err(failed)?))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that stays is named after nothing and is never read again.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn name(desk: &Desk<'_>, ending: &str) -> Result<String, Fault> {
    desk.with(|store| {
        let day = desk.now().wall.day(store.zone());
        Ok(format!("{}-{day}.{ending}", store.identity().enrolment.staff_code))
    })
}

fn seen(desk: &Desk<'_>) -> Result<Seen, Fault> {
    let (remembered, now) = (&desk.held.remembered, desk.now());
    desk.with(|store| {
        let level = remembered.level(store, now)?;
        let mut here = Vec::new();
        for (id, at) in level.here.iter().take(ROWS) {
            let document = store.document(*id)?;
            if let Some((document, kind)) =
                document.and_then(|d| Some((records::kinds::by_number(d.kind)?, d))).map(|(k, d)| (d, k))
            {
                here.push((list::line(store, kind, &document, desk.lang.of_labels())?, *at));
            }
        }
        let last = crate::sync::report::last(store)?.map(|last| last.report);
        Ok(Seen { status: remembered.status(store, now)?, level, here, last })
    })
}

fn leaf(desk: &Desk<'_>, seen: &Seen) -> Leaf {
    Leaf {
        place: Place::More,
        title: desk.say("web.sync.title"),
        back: Some("/more".to_owned()),
        content: html! {
            (desk.form("/sync", &html! { button.first #sync-now type="submit" { (desk.say("web.sync.now")) } }))
            div data-fresh="/sync/state" { (moving(desk, seen)) }
            (by_file(desk))
        },
    }
}

/// What changes while a sync runs: how things stand, the proof, what is only here.
fn moving(desk: &Desk<'_>, seen: &Seen) -> Markup {
    html! {
        (standing(desk, seen))
        section { h2 { (desk.say("web.sync.proof")) } (proof(desk, seen)) (classes(desk, &seen.level)) }
        section { h2 { (desk.say("web.sync.here")) } (widgets::rows(&here(desk, seen), &desk.say("text.status.all_at_hq"))) }
    }
}

fn standing(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let doing = desk.courier.standing();
    let n = seen.status.counts.unsent_ops.to_string();
    html! {
        @match seen.status.unsent_age_ms {
            None => { (widgets::told(Tone::Good, &desk.say("web.standing.level"))) }
            Some(age) => { (widgets::told(if age > 86_400_000 { Tone::Bad } else { Tone::Warning }, &desk.tell("text.status.unsent", &[("n", &n), ("age", &duration(age, desk.lang))]))) }
        }
        @if doing.runs { p.hint { (desk.say("web.sync.runs")) } }
        @if let Some(said) = desk.courier.failure(|fault| desk.sentence(fault)) { (widgets::told(Tone::Warning, &said)) }
        @if seen.status.apart.is_some() { (widgets::told(Tone::Bad, &desk.say("web.sync.apart"))) }
        p.hint { (desk.say("text.status.last_sync")) ": " (seen.status.last_sync.map_or_else(|| desk.say("text.status.never"), |at| at.minute(seen.status.zone))) }
    }
}

/// Returns what the last sync showed.
fn proof(desk: &Desk<'_>, seen: &Seen) -> Markup {
    let Some(report) = &seen.last else { return html! { p.none { (desk.say("web.sync.never")) } } };
    let digest = match report.digest_equal {
        Some(true) => (Tone::Good, "text.sync.digest_equal"),
        Some(false) => (Tone::Bad, "text.sync.digest_differs"),
        None => (Tone::Plain, "text.sync.digest_none"),
    };
    let files = &seen.status.files;
    let level = if report.level {
        (Tone::Good, "text.sync.level_yes")
    } else {
        (Tone::Warning, "text.sync.level_no")
    };
    let ops = |n: u64| desk.tell("text.sync.ops", &[("n", &n.to_string())]);
    let said = |(tone, key): (Tone, &str)| widgets::badge(tone, &desk.say(key));
    let rows = [
        (desk.say("text.sync.level"), said(level)),
        (desk.say("text.sync.digest"), said(digest)),
        (desk.say("text.sync.sent"), html! { (ops(report.sent_ops)) }),
        (desk.say("text.sync.received"), html! { (ops(report.received_ops)) }),
        (desk.say("text.sync.bytes"), html! { (bytes(report.bytes_up)) " / " (bytes(report.bytes_down)) }),
        (
            desk.say("text.status.files"),
            html! {
                @if files.waiting > 0 { (widgets::badge(Tone::Warning, &desk.tell("text.status.files_here", &[("n", &files.waiting.to_string()), ("size", &bytes(files.waiting_bytes))]))) }
                @else { (widgets::badge(Tone::Good, &desk.say("text.status.files_none"))) }
            },
        ),
    ];
    widgets::facts(&rows)
}

/// Returns how many records of each class there are, and how many HQ lacks.
fn classes(desk: &Desk<'_>, level: &Level) -> Markup {
    let columns = [("web.sync.class", false), ("web.sync.all", true), ("web.sync.only_here", true)]
        .map(|(key, number)| Column { title: desk.say(key), number });
    let rows: Vec<Vec<Markup>> = level
        .classes
        .iter()
        .map(|(kind, class)| {
            let tone = if class.here == 0 { Tone::Good } else { Tone::Warning };
            vec![
                html! { (desk.lang.label(kind.zh, kind.en)) },
                html! { (class.all) },
                widgets::badge(tone, &class.here.to_string()),
            ]
        })
        .collect();
    widgets::table(&desk.say("web.sync.classes"), &columns, &rows, &desk.say("text.list.empty"))
}

fn here(desk: &Desk<'_>, seen: &Seen) -> Vec<Row> {
    let now = desk.now().wall.0;
    let row = |(line, since): &(Line, Ts)| Row {
        href: crate::web::more::address(line.kind, line.id),
        title: format!(
            "{} {}",
            desk.lang.label(line.kind.zh, line.kind.en),
            if line.number.is_empty() { line.id.code() } else { line.number.clone() }
        ),
        below: widgets::short(&line.title),
        right: html! { (duration(now.saturating_sub(since.0).max(0), desk.lang)) },
    };
    seen.here.iter().map(row).collect()
}

fn by_file(desk: &Desk<'_>) -> Markup {
    html! {
        section {
            h2 { (desk.say("web.sync.file")) }
            p.hint { (desk.say("web.sync.file_hint")) }
            (desk.form("/sync/bundle", &html! { button #bundle-write type="submit" { (desk.say("web.sync.write")) } }))
            (desk.form("/sync/read", &html! {
                label.field { span { (desk.say("web.sync.read_file")) } input #bundle-file type="file" name="bundle" required; }
                button #bundle-read type="submit" { (desk.say("web.sync.read")) }
            }))
            h2 { (desk.say("web.sync.backup_title")) }
            p.hint { (desk.say("web.sync.backup_hint")) }
            (desk.form("/sync/backup", &html! { button #backup type="submit" { (desk.say("web.sync.backup")) } }))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Device;
    use crate::web::testing::Browser;

    #[test]
    fn what_only_this_device_has_is_listed_by_class_and_by_record_and_leaves_as_a_file() {
        let device = Device::new();
        let browser = Browser::of(&device);
        assert!(
            browser.get("/sync").contains("All of it is at HQ") || browser.get("/sync").contains("sync-now")
        );
        browser.send("/vouchers", &[("amount", "35"), ("category", "meal"), ("date", "2026-11-20")]);
        let page = browser.get("/sync");
        assert!(page.contains("Voucher") && page.contains("/vouchers/"), "{page}");
        let file = browser.answer(&pages::visit::Visit::to("/sync/bundle").sending(&[]));
        assert!(matches!(file.body, pages::reply::Body::File { save_as: Some(_), .. }), "{file:?}");
        let backup = browser.answer(&pages::visit::Visit::to("/sync/backup").sending(&[]));
        assert!(matches!(backup.body, pages::reply::Body::File { save_as: Some(_), .. }), "{backup:?}");
        let beside = std::fs::read_dir(device.dir.path()).unwrap().count();
        assert_eq!(beside, 1, "only the home is left");
    }
}
