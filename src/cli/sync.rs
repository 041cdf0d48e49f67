//! `sync`: a progress bar while it runs, and an exact report.

use std::time::Duration;

use serde_json::{Value, json};
use sync_protocol::message::Notice;
use sync_protocol::reason;

use crate::cli::Streams;
use crate::cli::args::Sync;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::progress::Progress;
use crate::cli::status::bytes;
use crate::cli::table::{Tone, pairs};
use crate::notebook::enrol::take_own_name;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::sync::report::{self, SyncReport};
use crate::sync::{Options, SyncError, sync};
use crate::transport::TransportError;

/// How long `--watch` waits between two syncs.
const WATCH_PAUSE: Duration = Duration::from_secs(60);

/// Syncs once, or again and again.
pub(crate) fn run(args: &Sync, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    let options = Options { bytes_max: args.max_bytes, ..Options::default() };
    if !args.watch {
        let report = whole(options, desk)?;
        return Ok(desk.page(|| answer(&report), |desk| text(&report, desk)));
    }
    loop {
        let told = match whole(options, desk) {
            Ok(report) if desk.json => answer(&report).to_string() + "\n",
            Ok(report) => text(&report, desk),
            // A line that is down now may be up in a minute; anything else a person has to look at.
            Err(fault) if fault.exit == Exit::Unreachable => fault.sentence(desk.lang) + "\n",
            Err(fault) => return Err(fault),
        };
        if write!(streams.out, "{told}").and_then(|()| streams.out.flush()).is_err() {
            return Ok(Page::Printed(Exit::Done));
        }
        std::thread::sleep(WATCH_PAUSE);
    }
}

/// Syncs once, and again where the device was told a name of its own: its records come back under that.
fn whole(options: Options, desk: &Desk) -> Result<SyncReport, Fault> {
    let mut store = desk.store()?;
    let report = once(&mut store, options, desk)?;
    let (mut store, renamed) = take_own_name(store, desk.clock.now())?;
    if !renamed {
        return Ok(report);
    }
    Ok(report.then(once(&mut store, options, desk)?))
}

/// Syncs once, under a progress bar where somebody sees it.
pub(crate) fn once(store: &mut Store, options: Options, desk: &Desk) -> Result<SyncReport, Fault> {
    let bar = Progress::counting(desk);
    let report = sync(store, &desk.clock, options, &mut |progress| show(&bar, &progress, desk));
    drop(bar);
    report.map_err(|error| fault(error, &store.identity().enrolment.address))
}

fn show(bar: &Progress, progress: &report::Progress, desk: &Desk) {
    let facts = [
        ("received", progress.received_ops.to_string()),
        ("up", bytes(progress.bytes_up)),
        ("down", bytes(progress.bytes_down)),
    ];
    let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
    let all = progress.sent_ops.saturating_add(progress.unsent_ops);
    bar.show(progress.sent_ops, all, desk.lang.say("text.sync.progress", &facts));
}

/// Returns a report as it stands in an answer.
pub(crate) fn answer(report: &SyncReport) -> Value {
    json!({
        "sent_ops": report.sent_ops,
        "received_ops": report.received_ops,
        "verdicts": report.verdicts,
        "new_quarantine": report.new_quarantine,
        "evicted": report.evicted,
        "bytes_up": report.bytes_up,
        "bytes_down": report.bytes_down,
        "requests": report.requests,
        "took_ms": report.took_ms,
        "level": report.level,
        "files_sent": report.files_sent,
        "files_left": report.files_left,
        "files_received": report.files_received,
        "digest_equal": report.digest_equal,
        "reread": report.reread,
        "forked": report.forked.iter().map(|epoch| epoch.0).collect::<Vec<_>>(),
        "notices": notice_names(&report.notices, |_| true),
        "receipts": report.receipts,
    })
}

/// Returns the identifiers of some notices of HQ, each once.
pub(crate) fn notice_names(notices: &[Notice], which: impl Fn(&Notice) -> bool) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in notices.iter().filter(|notice| which(notice)).map(notice_name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the identifier of a notice of HQ.
fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::UpgradeNeeded { .. } => "upgrade_needed",
        Notice::Revoked => "revoked",
        Notice::Unconfirmed => "unconfirmed",
        Notice::ServerTime(_) => "server_time",
        Notice::Refused(reason::QUOTA) => "over_quota",
        Notice::Refused(_) => "refused",
        Notice::Rewound { .. } => "rewound",
        Notice::Copied => "copied",
        Notice::Fork { .. } => "fork",
        Notice::Restored { .. } => "restored",
        Notice::BackedUp { .. } => "backed_up",
        Notice::Newer { .. } => "newer",
    }
}

fn text(report: &SyncReport, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let verdicts: Vec<String> = report
        .verdicts
        .iter()
        .map(|(name, n)| format!("{} {n}", say(&format!("text.verdict.{name}"))))
        .collect();
    let ops = |n: u64| desk.lang.say("text.sync.ops", &[("n", &n.to_string())]);
    let mut rows = vec![
        (say("text.sync.sent"), ops(report.sent_ops)),
        (say("text.sync.received"), ops(report.received_ops)),
        (say("text.sync.verdicts"), verdicts.join(", ")),
        (say("text.sync.bytes"), format!("{} / {}", bytes(report.bytes_up), bytes(report.bytes_down))),
        (say("text.sync.requests"), report.requests.to_string()),
        (say("text.sync.took"), format!("{}.{:03} s", report.took_ms / 1000, report.took_ms % 1000)),
        (
            say("text.sync.level"),
            say(if report.level { "text.sync.level_yes" } else { "text.sync.level_no" }),
        ),
        (say("text.sync.files"), files(report, desk)),
        (say("text.sync.digest"), say(digest_key(report.digest_equal))),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut text = pairs(desk.style, &rows);
    if report.new_quarantine > 0 {
        text.push_str(&warn(desk, "text.sync.new_quarantine", report.new_quarantine));
    }
    if report.reread > 0 {
        text.push_str(&warn(desk, "text.sync.reread", report.reread));
    }
    text.push_str(&notices_text(&report.notices, desk));
    for receipt in &report.receipts {
        text.push_str(&(desk.lang.say("text.sync.receipt", &[("file", receipt)]) + "\n"));
    }
    text
}

/// Returns a line for each notice that a person should know.
pub(crate) fn notices_text(notices: &[Notice], desk: &Desk) -> String {
    let told = |notice: &Notice| !matches!(notice, Notice::ServerTime(_) | Notice::BackedUp { .. });
    let names = notice_names(notices, told);
    names.iter().map(|name| warn(desk, &format!("text.notice.{name}"), 0)).collect()
}

/// Returns a line that a person should not overlook.
pub(crate) fn warn(desk: &Desk, key: &str, n: u64) -> String {
    desk.style.paint(Tone::Warning, &desk.lang.say(key, &[("n", &n.to_string())])) + "\n"
}

/// Says how many files HQ got and how many wait; nothing where there were none.
fn files(report: &SyncReport, desk: &Desk) -> String {
    let counts = [report.files_sent, report.files_left, report.files_received];
    if counts == [0; 3] {
        return String::new();
    }
    let [sent, left, received] = counts.map(|n| n.to_string());
    let facts = [("sent", sent.as_str()), ("left", &left), ("received", &received)];
    desk.lang.say("text.sync.files_counts", &facts)
}

fn digest_key(equal: Option<bool>) -> &'static str {
    match equal {
        Some(true) => "text.sync.digest_equal",
        Some(false) => "text.sync.digest_differs",
        None => "text.sync.digest_none",
    }
}

/// Returns a sync that did not come through as a person reads it.
pub(crate) fn fault(error: SyncError, address: &str) -> Fault {
    let unreachable = |key: &str| Fault::new(Exit::Unreachable, key).with("address", &address);
    match error {
        SyncError::Transport(TransportError::WrongKey) | SyncError::WrongKey => {
            unreachable("error.sync.wrong_key")
        }
        SyncError::Transport(TransportError::Unreachable(cause)) => unreachable(match cause {
            crate::transport::Fault::Name => "error.sync.name",
            crate::transport::Fault::Refused => "error.sync.refused",
            crate::transport::Fault::TimedOut => "error.sync.timed_out",
            crate::transport::Fault::Broken => "error.sync.broken",
        }),
        SyncError::Transport(TransportError::Later { seconds }) => {
            unreachable("error.sync.later").with("seconds", &seconds)
        }
        SyncError::Transport(TransportError::Status(status)) => {
            unreachable("error.sync.status").with("status", &status)
        }
        SyncError::Transport(TransportError::Address | TransportError::NoPin) => {
            unreachable("error.sync.address")
        }
        SyncError::Transport(TransportError::TooLong) | SyncError::Answer(_) => {
            unreachable("error.sync.answer")
        }
        SyncError::Store(error) => NotebookError::from(error).into(),
    }
}
