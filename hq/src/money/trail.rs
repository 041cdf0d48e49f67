//! The audit trail as a file: one decision a line, each with the hash of the line before, and HQ's signature at the end.
//!
//! A line that was changed, taken out, moved or cut off is found without HQ's database, by [`verify`].
//!
//! Source: docs/OPERATIONS.md, The audit trail.

use std::io::BufRead;

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, OpId};
use records::kinds::approval::Approvals;
use records::kinds::staff::Role;
use records::machine::Machine;
use records::schema::Typed;
use records::time::{Day, Ts, Zone};
use serde_json::{Value as Json, json};
use sync_protocol::chain::sha256;
use sync_protocol::merge::Standing;
use sync_protocol::op::Row;
use sync_protocol::sign::{PublicKey, Signature, Signer};

use crate::intake::desk::Desk;
use crate::money::decide::title;
use crate::money::rows::linked;
use crate::reading;
use crate::store::StoreError;

/// What keeps a signature under something else from passing as one under a trail.
const DOMAIN: &str = "audit trail";
/// What stands where the first line names the hash of the one before.
const BEGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Bytes of one line; a longer one is not of ours.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Of which days decisions are wanted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first day; `None`: from the beginning.
    pub since: Option<Day>,
    /// The last day; `None`: to the end.
    pub until: Option<Day>,
}

/// A trail as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The file's lines: decisions, and the seal.
    pub text: String,
    /// How many decisions.
    pub decisions: u64,
    /// The hash of the last of them, in hexadecimal.
    pub last: String,
}

/// What a whole trail says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many decisions.
    pub decisions: u64,
    /// The hash of the last of them.
    pub last: String,
    /// The key that signed it.
    pub key: String,
}

/// Why a trail is not whole: the first line where that shows, counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// Not a line of a trail.
    #[error("line {line} is no line of a trail")]
    NotALine {
        /// Which.
        line: u64,
    },
    /// It does not follow the one before: one was taken out, put in or moved.
    #[error("line {line} is number {says}")]
    OutOfPlace {
        /// Which.
        line: u64,
        /// The number that it says of itself.
        says: u64,
    },
    /// The next line tells another hash of it.
    #[error("line {line} was changed")]
    Changed {
        /// Which.
        line: u64,
    },
    /// Lines are missing at the end.
    #[error("the end is missing after line {line}")]
    CutOff {
        /// The last line that is there.
        line: u64,
    },
    /// The seal is not HQ's.
    #[error("the seal in line {line} is not headquarters'")]
    Seal {
        /// Which.
        line: u64,
    },
    /// Something stands behind the seal.
    #[error("line {line} stands behind the seal")]
    Behind {
        /// Which.
        line: u64,
    },
}

/// A decision before its op is read.
struct Found {
    op: OpId,
    document: DocId,
    kind: &'static records::schema::Kind,
    title: String,
    standing: Standing,
}

impl Desk {
    /// Returns every decision of the days asked for, in the order in which HQ judged them, chained and signed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn trail(&mut self, span: Span) -> Result<Trail, StoreError> {
        let mut found = Vec::new();
        self.store.each_document::<StoreError>(None, |_, indexed| {
            let document = &indexed.document;
            let Some(record) = reading::record(document) else { return Ok(()) };
            found.extend(document.decisions.iter().map(|ruled| Found {
                op: ruled.op,
                document: document.id,
                kind: record.kind,
                title: title(&record),
                standing: ruled.standing,
            }));
            Ok(())
        })?;
        let mut lines = Vec::new();
        for found in found {
            lines.extend(self.decision_line(&found, span)?);
        }
        lines.sort_by_key(|(order, op, _)| (*order, *op));
        Ok(chained(lines.into_iter().map(|(.., line)| line), &self.signer))
    }

    /// Returns a decision with its place in HQ's order; `None` where it is of another day, or of a newer version.
    fn decision_line(&mut self, found: &Found, span: Span) -> Result<Option<(u64, OpId, Json)>, StoreError> {
        let Some(judged) = self.judged(found.op)? else { return Ok(None) };
        let row = &judged.row;
        let decision = row.write(DECISION_TAG).and_then(|bytes| postcard::from_bytes::<Decision>(bytes).ok());
        let Some((decision, machine)) = decision.zip(found.kind.machine) else { return Ok(None) };
        let approval = approval_of(row).unwrap_or_default();
        let written = Ts(i64::try_from(row.stamp.ms).unwrap_or(i64::MAX));
        let at = approval.at.unwrap_or(written);
        let day = at.day(Zone::SHANGHAI);
        if span.since.is_some_and(|since| day < since) || span.until.is_some_and(|until| day > until) {
            return Ok(None);
        }
        let device = self.store.device(found.op.replica)?;
        let owner = device.and_then(|device| device.staff);
        let by = self.person(linked(approval.by.as_ref()).or(owner))?;
        let behalf = linked(approval.on_behalf_of.as_ref()).or(decision.on_behalf_of);
        let judgement = judged.judgement.as_ref();
        let line = json!({
            "op": found.op.to_string(),
            "id": found.document.to_string(),
            "kind": found.kind.name,
            "record": found.title,
            "step": step_name(machine, decision.step),
            "by": by,
            "for": self.person(behalf)?,
            "role": Role::CHOICES.option(decision.role.0).map(|(name, ..)| name),
            "at": at.rfc3339(Zone::SHANGHAI),
            "reason": decision.reason,
            "note": approval.note.map(|note| note.0),
            "revision": approval.rev.map(|rev| rev.0),
            "content": approval.content.map(|digest| records::hex::of(&digest.0)).or(decision.saw.map(|saw| records::hex::of(&saw))),
            "vouchers": approval.vouchers.map(|count| count.0),
            "acks": approval.acks.map(|acks| acks.0),
            "standing": standing_name(found.standing),
        });
        Ok(Some((judgement.map_or(u64::MAX, |judgement| judgement.order), found.op, line)))
    }

    fn person(&mut self, staff: Option<DocId>) -> Result<Json, StoreError> {
        let people = self.people()?;
        let person = staff.and_then(|staff| people.staff.get(&staff));
        Ok(person.map_or(Json::Null, |person| json!({"code": person.code, "name": person.name})))
    }
}

fn approval_of(row: &Row) -> Option<Approvals> {
    let rows: Vec<Approvals> = postcard::from_bytes(row.write(Approvals::GROUP.tag())?).ok()?;
    rows.into_iter().next()
}

fn step_name(machine: &Machine, step: u8) -> String {
    machine.step_at(step).map_or_else(|| step.to_string(), |step| step.name.to_owned())
}

const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Stands => "stands",
        Standing::Stale => "stale",
        Standing::Superseded => "superseded",
        Standing::Contested => "contested",
        Standing::Void => "void",
        Standing::TooLate => "too_late",
    }
}

/// Chains lines and seals them.
fn chained(lines: impl Iterator<Item = Json>, signer: &Signer) -> Trail {
    let (mut text, mut last, mut n) = (String::new(), BEGIN.to_owned(), 0_u64);
    for line in lines {
        n += 1;
        let line = json!({"n": n, "previous": last, "decision": line}).to_string();
        last = records::hex::of(&sha256(&[line.as_bytes()]));
        text.push_str(&line);
        text.push('\n');
    }
    let signature = signer.sign(DOMAIN, &[&n.to_le_bytes(), last.as_bytes()]);
    let seal = json!({"decisions": n, "last": last, "key": records::hex::of(&signer.public().0), "signature": records::hex::of(&signature.0)});
    text.push_str(&json!({"seal": seal}).to_string());
    text.push('\n');
    Trail { text, decisions: n, last }
}

/// Checks a trail line by line; `key` is the key of the headquarters that must have sealed it.
///
/// # Errors
/// [`Broken`], the first line where something shows.
pub fn verify(mut file: impl BufRead, key: PublicKey) -> Result<Verified, Broken> {
    let (mut last, mut n) = (BEGIN.to_owned(), 0_u64);
    loop {
        let line = n + 1;
        let Some(text) = next_line(&mut file, line)? else {
            return Err(Broken::CutOff { line: n });
        };
        let read: Json = serde_json::from_str(&text).map_err(|_| Broken::NotALine { line })?;
        if let Some(seal) = read.get("seal") {
            let verified = unsealed(seal, (n, &last), key, line)?;
            return match next_line(&mut file, line + 1)? {
                Some(_) => Err(Broken::Behind { line: line + 1 }),
                None => Ok(verified),
            };
        }
        let says = read.get("n").and_then(Json::as_u64).ok_or(Broken::NotALine { line })?;
        if says != line {
            return Err(Broken::OutOfPlace { line, says });
        }
        if read.get("previous").and_then(Json::as_str) != Some(&last) {
            // The first line has none before it: what it says of that is its own fault.
            return Err(Broken::Changed { line: n.max(1) });
        }
        last = records::hex::of(&sha256(&[text.as_bytes()]));
        n = line;
    }
}

/// Returns the next line without its end, of bounded length.
fn next_line(file: &mut impl BufRead, line: u64) -> Result<Option<String>, Broken> {
    let mut bytes = Vec::new();
    std::io::Read::take(file, LINE_BYTES_MAX).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    // Without its end a line was cut, or is longer than any of ours.
    let text = bytes.strip_suffix(b"\n").ok_or(Broken::NotALine { line })?;
    String::from_utf8(text.to_vec()).map(Some).map_err(|_| Broken::NotALine { line })
}

fn unsealed(seal: &Json, (n, last): (u64, &str), key: PublicKey, line: u64) -> Result<Verified, Broken> {
    let text = |name: &str| seal.get(name).and_then(Json::as_str).unwrap_or_default();
    let says = seal.get("decisions").and_then(Json::as_u64).ok_or(Broken::NotALine { line })?;
    let signature: Option<[u8; 64]> =
        records::hex::read(text("signature")).and_then(|bytes| bytes.try_into().ok());
    let signature = Signature(signature.ok_or(Broken::Seal { line })?);
    if !key.verifies(DOMAIN, &[&says.to_le_bytes(), text("last").as_bytes()], &signature) {
        return Err(Broken::Seal { line });
    }
    if says > n {
        return Err(Broken::CutOff { line: n });
    }
    if says < n {
        return Err(Broken::OutOfPlace { line: says + 1, says: says + 1 });
    }
    if text("last") != last {
        return Err(Broken::Changed { line: n.max(1) });
    }
    Ok(Verified { decisions: n, last: last.to_owned(), key: records::hex::of(&key.0) })
}
