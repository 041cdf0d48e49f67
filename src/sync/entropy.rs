//! Anti-entropy: where the digests differ, which documents do, reading them again, and what then still differs.
//!
//! Nothing is wiped and neither end takes over the other's state: what reading again does not mend is a report.
//!
//! Source: docs/PROTOCOL.md, Anti-entropy.

use std::collections::BTreeSet;

use records::id::DocId;
use records::time::Ts;
use serde::{Deserialize, Serialize};
use sync_protocol::asides::{Ask, Differing, Tell};
use sync_protocol::conversation::Answer;
use sync_protocol::message::{Compared, Hello};

use crate::store::Store;
use crate::store::compare::Difference;
use crate::store::error::StoreError;

/// The setting with what still differs.
const DIFFERENCES: &str = "sync.differences";
/// The hashes of the buckets, and the longest list that HQ answers with.
const ROUND_BYTES: u64 = 160 * 1024;
/// Documents asked for in one request.
const REREAD_MAX: usize = 256;
/// Differences that a report keeps.
const KEPT_MAX: usize = 256;

/// Answers to wait for a comparison: one to push, one to pull, and one to compare.
const NOT_COMPARED_MAX: u8 = 3;

/// What this home and HQ hold differently though everything was read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// When that was found, by the device's clock.
    pub at: Ts,
    /// The digest over everything here.
    pub here: [u8; 16],
    /// HQ's digest over what this device may see.
    pub hq: [u8; 16],
    /// Which documents; the first 256. Empty where HQ did not say.
    pub documents: Vec<Difference>,
}

/// Returns what still differs from HQ; `None` where nothing is known to.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn differences(store: &Store) -> Result<Option<Differences>, StoreError> {
    let bytes = store.setting(DIFFERENCES)?;
    // One of another version is as none: the next comparison finds it again.
    Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).flatten())
}

/// What the next request is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Step {
    /// Nothing differs, as far as is known.
    #[default]
    Rest,
    /// Ask which documents differ.
    Descend,
    /// Ask for these again.
    Reread(Vec<DocId>),
    /// Compare anew.
    Compare,
}

/// How far the comparison of one sync is.
#[derive(Debug, Default)]
pub(super) struct Entropy {
    step: Step,
    /// Both digests as compared last.
    compared: Option<([u8; 16], [u8; 16])>,
    /// What was asked for again.
    reread: BTreeSet<DocId>,
    /// Even what was reported before is looked at anew.
    anew: bool,
    /// Answers in which HQ did not compare, though it was to.
    not_compared: u8,
}

impl Entropy {
    /// Begins; with `anew` everything is compared, also what a report says already.
    pub(super) fn new(anew: bool) -> Self {
        Self { step: if anew { Step::Compare } else { Step::Rest }, anew, ..Self::default() }
    }

    /// Returns whether another request is needed, and `bytes_left` are enough for it and its answer.
    pub(super) fn goes_on(&self, bytes_left: Option<u64>) -> bool {
        self.step != Step::Rest && bytes_left.is_none_or(|left| left >= ROUND_BYTES)
    }

    /// Returns how many documents were asked for again.
    pub(super) fn reread(&self) -> u64 {
        u64::try_from(self.reread.len()).unwrap_or(u64::MAX)
    }

    /// Ends the comparison: another sync begins it anew.
    pub(super) fn rest(&mut self) {
        self.step = Step::Rest;
    }

    /// Returns what goes with the next request.
    pub(super) fn asks(&self, store: &Store) -> Result<Vec<Ask>, StoreError> {
        Ok(match &self.step {
            Step::Rest | Step::Compare => Vec::new(),
            Step::Descend => vec![Ask::Buckets(store.buckets()?)],
            Step::Reread(docs) => vec![Ask::Reread(docs.clone())],
        })
    }

    /// Takes in what an answer says of the comparison, once the rest of it is applied.
    pub(super) fn hear(
        &mut self,
        store: &mut Store,
        hello: &Hello,
        answer: &Answer,
        now: Ts,
    ) -> Result<(), StoreError> {
        self.step = match std::mem::take(&mut self.step) {
            Step::Descend => self.descended(store, answer, now)?,
            Step::Reread(_) => Step::Compare,
            // Something comes or goes first; the digests are compared behind it.
            Step::Compare if answer.ack.digest == Compared::Not && self.not_compared < NOT_COMPARED_MAX => {
                self.not_compared += u8::from(!answer.end.more);
                Step::Compare
            }
            Step::Rest | Step::Compare => self.compared(store, hello, answer.ack.digest)?,
        };
        Ok(())
    }

    fn compared(&mut self, store: &mut Store, hello: &Hello, said: Compared) -> Result<Step, StoreError> {
        let known = differences(store)?;
        match (said, hello.digest) {
            (Compared::Equal, _) => {
                if known.is_some() {
                    keep(store, None)?;
                }
                Ok(Step::Rest)
            }
            (Compared::Differs(hq), Some(here)) => {
                self.compared = Some((here, hq));
                // Looked at already, and neither end has moved since.
                let reported = known.is_some_and(|known| (known.here, known.hq) == (here, hq));
                Ok(if reported && !self.anew { Step::Rest } else { Step::Descend })
            }
            (Compared::Not | Compared::Differs(_), _) => Ok(Step::Rest),
        }
    }

    /// Asks for what was not asked for yet; what was is different for good.
    fn descended(&mut self, store: &mut Store, answer: &Answer, now: Ts) -> Result<Step, StoreError> {
        let told = answer.tells.iter().find_map(|tell| match tell {
            Tell::Differing(differing) => Some(differing),
            _ => None,
        });
        let nothing = Differing { buckets: Vec::new(), documents: Vec::new() };
        let mut found = store.differences(told.unwrap_or(&nothing))?;
        let new: Vec<DocId> = found
            .iter()
            .map(|found| found.doc)
            .filter(|doc| !self.reread.contains(doc))
            .take(REREAD_MAX)
            .collect();
        if !new.is_empty() {
            self.reread.extend(&new);
            return Ok(Step::Reread(new));
        }
        if let Some((here, hq)) = self.compared {
            found.truncate(KEPT_MAX);
            keep(store, Some(&Differences { at: now, here, hq, documents: found }))?;
        }
        Ok(Step::Rest)
    }
}

fn keep(store: &mut Store, differences: Option<&Differences>) -> Result<(), StoreError> {
    store.put_setting(DIFFERENCES, postcard::to_allocvec(&differences).unwrap_or_default())
}
