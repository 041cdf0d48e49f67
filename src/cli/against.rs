//! What this home and HQ hold differently: `doctor --against-hq`, and what the last comparison left.

use serde_json::{Value, json};

use crate::cli::desk::Desk;
use crate::cli::fault::Fault;
use crate::cli::sync;
use crate::cli::table::Tone;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::sync::Options;
use crate::sync::entropy::{Differences, differences};

/// So many documents are printed for a person; `--json` lists all.
const SHOWN_MAX: usize = 20;

/// How this home compares with HQ.
#[derive(Debug)]
pub(crate) struct Against {
    /// Whether both hold the same; `None` where they were not compared now.
    pub(crate) equal: Option<bool>,
    /// What still differs.
    pub(crate) differences: Option<Differences>,
}

/// Returns what the last comparison left; with `now` it is made anew, in a sync.
pub(crate) fn look(store: &mut Store, now: bool, desk: &Desk) -> Result<Against, Fault> {
    let mut equal = None;
    if now {
        let options = Options { compare: true, ..Options::default() };
        equal = sync::once(store, options, desk)?.digest_equal;
    }
    Ok(Against { equal, differences: differences(store).map_err(NotebookError::from)? })
}

/// Returns it as it stands in an answer; null where nothing is known to differ and nobody asked.
pub(crate) fn answer(against: &Against, store: &Store) -> Value {
    let zone = store.identity().enrolment.zone;
    if against.equal.is_none() && against.differences.is_none() {
        return Value::Null;
    }
    let found = against.differences.as_ref();
    let documents = found.map(|found| found.documents.as_slice()).unwrap_or_default();
    let documents: Vec<Value> = documents
        .iter()
        .map(|found| {
            let names = |ops: &[records::id::OpId]| ops.iter().map(ToString::to_string).collect::<Vec<_>>();
            json!({
                "id": found.doc.to_string(),
                "code": found.doc.code(),
                "here": found.here.map(|digest| records::hex::of(&digest)),
                "hq": found.hq.map(|digest| records::hex::of(&digest)),
                "only_here": names(&found.only_here),
                "only_at_hq": names(&found.only_at_hq),
            })
        })
        .collect();
    json!({
        "equal": against.equal.or(found.map(|_| false)),
        "at": found.map(|found| found.at.rfc3339(zone)),
        "here": found.map(|found| records::hex::of(&found.here)),
        "hq": found.map(|found| records::hex::of(&found.hq)),
        "documents": documents,
    })
}

/// Returns it for a person; empty where there is nothing to say.
pub(crate) fn text(against: &Against, desk: &Desk) -> String {
    let line = |tone, sentence: String| desk.style.paint(tone, &sentence) + "\n";
    let say = |key: &str, facts: &[(&str, &str)]| desk.lang.say(key, facts);
    match (&against.differences, against.equal) {
        (None, None) => String::new(),
        (None, Some(true)) => line(Tone::Good, say("text.against.equal", &[])),
        (None, Some(false)) => line(Tone::Warning, say("text.sync.digest_differs", &[])),
        (Some(found), _) => {
            let n = found.documents.len().to_string();
            let mut text = line(Tone::Bad, say("text.against.differs", &[("n", &n)]));
            for found in found.documents.iter().take(SHOWN_MAX) {
                let (here, hq) = (found.only_here.len().to_string(), found.only_at_hq.len().to_string());
                let facts = [("code", found.doc.code()), ("here", here), ("hq", hq)];
                let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
                text.push_str(&line(Tone::Bad, say("text.against.document", &facts)));
            }
            text.push_str(&say("text.against.hint", &[]));
            text + "\n"
        }
    }
}
