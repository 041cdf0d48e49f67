//! The clerk: writes into HQ's log what the rules call for and nobody does himself.
//!
//! He looks at every claim that a transaction touched, in that transaction, a bounded number at a time; the rest waits
//! in his tray. Asked again he finds nothing to do.
//!
//! Source: docs/RULES.md, Claims at headquarters.

use std::collections::BTreeSet;

use records::claim::system::{self, SystemStep};
use records::claim::view::Claim;
use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::claim_machine::CLAIM;
use records::kinds::number;
use records::kinds::staff::Role;
use records::time::Zone;
use records::value::{Count, Digest};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;
use sync_protocol::op::Write;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::money::rows::{instant, put, text};
use crate::reading;
use crate::store::sqlite::StoreError;

/// Claims that are looked at in one go: a device waits no longer for more.
const AT_ONCE: usize = 32;
/// Steps in a row on one claim: supervisor and GM skipped, and more than ever follow.
const STEPS_MAX: usize = 4;

/// What the clerk has yet to look at.
#[derive(Debug, Clone, Default)]
pub struct Tray {
    claims: BTreeSet<DocId>,
    /// HQ's clock when the last of them came.
    now_ms: u64,
    at_work: bool,
}

impl Tray {
    /// Puts a changed document into the tray, where it is the clerk's business.
    pub fn put(&mut self, document: &Document, now_ms: u64) {
        // What comes back after a restore carries no clock: the daily round looks at it.
        if document.kind == number::CLAIM && now_ms > 0 {
            self.claims.insert(document.id);
            self.now_ms = now_ms.max(self.now_ms);
        }
    }

    /// Returns whether anything waits in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    fn take(&mut self) -> Vec<DocId> {
        let taken: Vec<DocId> = self.claims.iter().take(AT_ONCE).copied().collect();
        self.claims.retain(|claim| !taken.contains(claim));
        taken
    }
}

impl Desk {
    /// Looks at some of what waits in the clerk's tray, and returns whether more does.
    ///
    /// What he cannot write is noted in the audit trail: the work of the one who is waiting is kept all the same.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the transaction may be kept.
    pub fn attend(&mut self) -> Result<bool, StoreError> {
        if self.tray.is_empty() || self.tray.at_work {
            return Ok(false);
        }
        let now_ms = self.tray.now_ms;
        let taken = self.tray.take();
        self.tray.at_work = true;
        let done = self.attend_to(&taken, now_ms);
        self.tray.at_work = false;
        done?;
        Ok(!self.tray.is_empty())
    }

    fn attend_to(&mut self, claims: &[DocId], now_ms: u64) -> Result<(), StoreError> {
        for claim in claims {
            self.store.mark()?;
            match self.follow(*claim, now_ms) {
                Ok(()) => self.store.keep()?,
                Err(AuthorError::Store(error)) => return Err(error),
                Err(error) => {
                    self.store.take_back()?;
                    self.forget();
                    self.store.audit(0, now_ms, "clerk", &format!("{claim}: {error}"))?;
                }
            }
            self.tray.claims.remove(claim);
        }
        Ok(())
    }

    /// Takes the steps that are due on a claim.
    fn follow(&mut self, id: DocId, now_ms: u64) -> Result<(), AuthorError> {
        for _ in 0..STEPS_MAX {
            let Some(document) = self.document(id)? else {
                return Ok(());
            };
            let claim = reading::record(&document).as_ref().and_then(Claim::of);
            let Some(claim) = claim else { return Ok(()) };
            let facts = self.plain_facts(&claim, instant(now_ms).day(Zone::SHANGHAI))?;
            let Some(step) = system::next(&claim, &facts) else {
                return Ok(());
            };
            self.step(&document, &claim, step, now_ms)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        document: &Document,
        claim: &Claim,
        step: SystemStep,
        now_ms: u64,
    ) -> Result<(), AuthorError> {
        let Some((index, _)) = CLAIM.step(step.step) else {
            return Ok(());
        };
        let saw = content_digest(&[document]);
        let reason = format!("{} {}", step.rule, step.reason);
        let decision = Decision {
            step: index,
            role: Role::ADMIN,
            on_behalf_of: None,
            to: None,
            reason: reason.clone(),
            saw: Some(saw),
            picks: None,
        };
        let approval = Approvals {
            step: text(step.step),
            rev: claim.submission.as_ref().map(|submission| Count(submission.rev)),
            content: Some(Digest(saw.to_vec())),
            note: text(&reason),
            at: Some(instant(now_ms)),
            ..Approvals::default()
        };
        // Serialising plain data into a growing vector has no way to fail.
        let bytes = postcard::to_allocvec(&decision).unwrap_or_default();
        let writes = vec![Write { tag: DECISION_TAG, bytes }, put(&[approval])];
        let op = NewOp { kind: number::CLAIM, on: On::Document(document.id), writes };
        self.write(vec![op], now_ms)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
