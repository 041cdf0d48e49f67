//! How the refusals of the use cases and the errors of the home read.

use crate::cli::fault::{Exit, Fault};
use crate::notebook::refusal::{NotebookError, Refusal, Said};
use crate::store::error::{Part, StoreError};

impl From<NotebookError> for Fault {
    fn from(error: NotebookError) -> Self {
        match error {
            NotebookError::Refused(refusal) => refused(*refusal),
            NotebookError::Store(error) => store(&error),
            NotebookError::File { path, source } => Self::file(&path, &source),
        }
    }
}

fn refused(refusal: Refusal) -> Fault {
    let case = if refusal.case.is_empty() { String::new() } else { format!(".{}", refusal.case) };
    Fault {
        exit: Exit::Refused,
        rule: refusal.rule.to_owned(),
        key: format!("rule.{}{case}", refusal.rule),
        facts: refusal.facts.into_iter().map(|(name, said)| (name.to_owned(), said)).collect(),
        reason: None,
        points: refusal.points,
    }
}

fn store(error: &StoreError) -> Fault {
    match error {
        StoreError::NotEnrolled { home } => {
            Fault::new(Exit::Refused, "error.not_enrolled").with("home", &home.display())
        }
        StoreError::AlreadyEnrolled { home } => {
            Fault::new(Exit::Refused, "rule.W-16").rule("W-16").with("home", &home.display())
        }
        StoreError::OnlyHere { ops, files } => {
            Fault::new(Exit::Refused, "rule.W-16.only_here").rule("W-16").with("n", ops).with("files", files)
        }
        StoreError::EarlierName { replica } => {
            Fault::new(Exit::Refused, "rule.W-16.earlier").rule("W-16").with("replica", &replica.0)
        }
        StoreError::Locked => Fault::new(Exit::Locked, "error.locked"),
        StoreError::WrongPin { wait_ms: 0 } => Fault::new(Exit::Locked, "error.pin.wrong"),
        StoreError::WrongPin { wait_ms } => {
            Fault::new(Exit::Locked, "error.pin.wrong_wait").with("seconds", &seconds(*wait_ms))
        }
        StoreError::Waits { wait_ms } => {
            Fault::new(Exit::Locked, "error.pin.waits").with("seconds", &seconds(*wait_ms))
        }
        StoreError::InUse { pid } => Fault::new(Exit::InUse, "error.in_use").with("pid", pid),
        StoreError::NoSpace { needed, free } => {
            Fault::new(Exit::NoSpace, "error.no_space").with("needed", needed).with("free", free)
        }
        StoreError::Damaged { part, at } => {
            let mut fault = Fault::new(Exit::Damaged, "error.damaged").with("at", &at.display());
            let (zh, en) = part_label(*part);
            fault.facts.push(("part".to_owned(), Said::Label(zh, en)));
            fault
        }
        StoreError::Limit { what, found, max } => Fault::new(Exit::Refused, "rule.W-19")
            .rule("W-19")
            .with("what", what)
            .with("found", found)
            .with("max", max),
        StoreError::NoDocument(id) => Fault::new(Exit::Refused, "rule.W-03").rule("W-03").with("text", id),
        StoreError::Foreign { line, first, .. } => Fault::new(Exit::Unreachable, "error.foreign")
            .with("line", &format!("{}.{}", line.0.0, line.1.0))
            .with("first", first),
        StoreError::Newer => Fault::new(Exit::Refused, "error.newer"),
        StoreError::ReadOnly => Fault::new(Exit::Damaged, "error.read_only"),
        StoreError::Io { path, source, .. } => {
            Fault::new(Exit::Damaged, "error.io").with("file", &path.display()).because(source)
        }
        StoreError::Key => Fault::new(Exit::Damaged, "error.key"),
        StoreError::Unordered => Fault::new(Exit::Damaged, "error.panic").with("what", error),
    }
}

/// Returns whole seconds, the one that has begun counted.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}

/// Returns how a part of the home is called: zh-CN, English.
pub(crate) fn part_label(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Keys => ("密钥", "the keys"),
        Part::Head => ("日志位置记录", "the note of where the log ends"),
        Part::Journal => ("日志", "the journal"),
        Part::Database => ("数据库", "the database"),
        Part::Log => ("数据库中的操作记录", "the ops in the database"),
        Part::Views => ("数据库中的单据视图", "the documents in the database"),
        Part::Rulings => ("总部的裁定", "HQ's rulings"),
        Part::Blobs => ("附件", "an attached file"),
    }
}
