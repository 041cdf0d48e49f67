//! The clerk: writes into HQ's log what the rules call for and nobody does himself.
//!
//! He looks at every claim that a transaction touched, in that transaction, a bounded number at a time; the rest waits
//! in his tray. Asked again he finds nothing to do.
//!
//! Source: docs/RULES.md, Claims at headquarters.

use std::collections::BTreeSet;

use records::both::both;
use records::claim::system::{self, SystemStep};
use records::claim::view::Claim;
use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::claim_machine::{self, CLAIM};
use records::kinds::staff::Role;
use records::kinds::{alert_machine, batch_machine, exception_machine, number};
use records::machine::Machine;
use records::time::Zone;
use records::value::{Count, Digest};
use sync_protocol::merge::Document;
use sync_protocol::merge::fingerprint::content_digest;
use sync_protocol::op::Write;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::money::rows::{instant, put, text};
use crate::reading;
use crate::store::StoreError;

/// Claims that are looked at in one go: a device waits no longer for more.
const AT_ONCE: usize = 32;
/// Claims on which the rules of anomalies are asked in one go.
const LOOKS_AT_ONCE: usize = 8;
/// Steps in a row on one claim: supervisor and GM skipped, and more than ever follow.
const STEPS_MAX: usize = 4;

/// States in which a claim waits for a day, or for a step that nobody takes.
const WAITING: [u8; 6] = [
    claim_machine::SUBMITTED,
    claim_machine::SUP_APPROVED,
    claim_machine::AUDITED,
    claim_machine::MGR_APPROVED,
    claim_machine::HELD_BLACKOUT,
    claim_machine::PAID,
];

/// Days after which a request for an exception that nobody answered expires.
///
/// Source: docs/RULES.md C-36.
pub const EXCEPTION_DAYS: i32 = 30;

/// What the clerk has yet to look at.
#[derive(Debug, Clone, Default)]
pub struct Tray {
    /// What may have a step due.
    waiting: BTreeSet<DocId>,
    /// Claims on which a rule may have found something.
    unlooked: BTreeSet<DocId>,
    /// HQ's clock when the last of them came.
    now_ms: u64,
    at_work: bool,
    written: u64,
}

/// What a daily round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticked {
    /// Claims and requests that were looked at.
    pub documents: u64,
    /// Steps and alerts that were written.
    pub ops: u64,
}

impl Tray {
    /// Puts a changed document into the tray, where it is the clerk's business.
    pub fn put(&mut self, document: &Document, now_ms: u64) {
        // What comes back after a restore carries no clock: the daily round looks at it.
        if document.kind == number::CLAIM && now_ms > 0 {
            self.put_one(document.id, now_ms);
        }
    }

    fn put_one(&mut self, id: DocId, now_ms: u64) {
        self.waiting.insert(id);
        self.now_ms = now_ms.max(self.now_ms);
    }

    /// Returns whether anything waits in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.unlooked.is_empty()
    }

    fn take(&mut self) -> Vec<DocId> {
        let taken: Vec<DocId> = self.waiting.iter().take(AT_ONCE).copied().collect();
        for id in &taken {
            self.waiting.remove(id);
        }
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
        if self.tray.waiting.is_empty() || self.tray.at_work {
            return Ok(false);
        }
        let now_ms = self.tray.now_ms;
        let taken = self.tray.take();
        self.tray.at_work = true;
        let done =
            taken.iter().try_for_each(|id| self.carefully(*id, now_ms, |desk| desk.follow(*id, now_ms)));
        self.tray.at_work = false;
        done?;
        for id in taken {
            self.tray.waiting.remove(&id);
            self.tray.unlooked.insert(id);
        }
        Ok(!self.tray.waiting.is_empty())
    }

    /// Looks at some of the claims on which a rule may have found something, and returns whether more wait. That takes
    /// longer than a step: it is done where nobody waits for an answer.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the transaction may be kept.
    pub fn look_around_claims(&mut self) -> Result<bool, StoreError> {
        if self.tray.at_work {
            return Ok(false);
        }
        let now_ms = self.tray.now_ms;
        let taken: Vec<DocId> = self.tray.unlooked.iter().take(LOOKS_AT_ONCE).copied().collect();
        self.tray.at_work = true;
        let done = taken.iter().try_for_each(|id| {
            self.carefully(*id, now_ms, |desk| {
                let raised = desk.look(*id, now_ms)?;
                desk.tray.written += raised;
                Ok(())
            })
        });
        self.tray.at_work = false;
        done?;
        for id in taken {
            self.tray.unlooked.remove(&id);
        }
        Ok(!self.tray.unlooked.is_empty())
    }

    /// Puts everything that may wait for a day into the clerk's tray, and returns how much that is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn round(&mut self, now_ms: u64) -> Result<u64, StoreError> {
        let mut found = self.store.in_state(number::CLAIM, &WAITING)?;
        found.extend(self.store.in_state(number::EXCEPTION, &[exception_machine::OPEN])?);
        if self.store.restored_from()?.is_some() {
            found.extend(self.store.in_state(number::ALERT, &[alert_machine::OPEN])?);
        }
        for id in &found {
            self.tray.put_one(*id, now_ms);
        }
        Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
    }

    /// Does the daily round at once.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the transaction may be kept.
    pub fn tick(&mut self, now_ms: u64) -> Result<Ticked, StoreError> {
        let before = self.tray.written;
        let documents = self.round(now_ms)?;
        while self.attend()? || self.look_around_claims()? {}
        Ok(Ticked { documents, ops: self.tray.written.saturating_sub(before) })
    }

    /// Does one thing; what cannot be written is taken back and noted, and stands in nobody's way.
    fn carefully(
        &mut self,
        id: DocId,
        now_ms: u64,
        job: impl FnOnce(&mut Self) -> Result<(), AuthorError>,
    ) -> Result<(), StoreError> {
        self.store.mark()?;
        match job(self) {
            Ok(()) => self.store.keep(),
            Err(AuthorError::Store(error)) => Err(error),
            Err(error) => {
                self.store.take_back()?;
                self.forget();
                self.store.audit(0, now_ms, "clerk", &format!("{id}: {error}"))
            }
        }
    }

    /// Takes the steps that are due on a document.
    fn follow(&mut self, id: DocId, now_ms: u64) -> Result<(), AuthorError> {
        for _ in 0..STEPS_MAX {
            let Some(document) = self.document(id)? else {
                return Ok(());
            };
            match document.kind {
                number::EXCEPTION => return self.expire(&document, now_ms),
                number::ALERT => return self.told_twice(&document, now_ms),
                _ => {}
            }
            let claim = reading::record(&document).as_ref().and_then(Claim::of);
            let Some(claim) = claim else { return Ok(()) };
            let facts = self.plain_facts(&claim, instant(now_ms).day(Zone::SHANGHAI))?;
            let Some(step) = system::next(&claim, &facts) else {
                return self.aftermath(&claim, &document, now_ms);
            };
            let rev = claim.submission.as_ref().map(|submission| submission.rev);
            self.step(&document, (&CLAIM, step.step), &said(step), rev, now_ms)?;
        }
        Ok(())
    }

    /// What follows from where a claim is, beside its own steps: a late audit, a payment that waited, a batch's end.
    fn aftermath(&mut self, claim: &Claim, document: &Document, now_ms: u64) -> Result<(), AuthorError> {
        match claim.state {
            claim_machine::AUDITED | claim_machine::REJECT_PROPOSED => {
                self.tray.written += u64::from(self.propose_by_itself(claim, now_ms)?);
                Ok(())
            }
            claim_machine::FIN_RECEIVED => match self.confirmed_payment(claim.id)? {
                Some(no) => {
                    let rev = claim.submission.as_ref().map(|submission| submission.rev);
                    self.step(document, (&CLAIM, "pay"), &no, rev, now_ms)
                }
                None => Ok(()),
            },
            state if is_ended(state) => self.close_batches(claim.id, now_ms),
            _ => Ok(()),
        }
    }

    /// Closes the forwarded batches in which everything came to its end.
    fn close_batches(&mut self, claim: DocId, now_ms: u64) -> Result<(), AuthorError> {
        for batch in self.batches_of(claim, batch_machine::FORWARDED)? {
            let mut open = false;
            for listed in &batch.listed {
                let held = listed.claim.map(|claim| self.held_claim(claim)).transpose()?.flatten();
                open |= held.is_none_or(|held| !is_ended(held.claim.state));
            }
            let document = self.document(batch.record.id)?.filter(|_| !open);
            if let Some(document) = document {
                self.step(&document, (&batch_machine::BATCH, "close"), "", None, now_ms)?;
            }
        }
        Ok(())
    }

    /// A request that nobody answers comes to its end.
    fn expire(&mut self, document: &Document, now_ms: u64) -> Result<(), AuthorError> {
        let asked = instant(document.created.ms).day(Zone::SHANGHAI);
        let due = instant(now_ms).day(Zone::SHANGHAI) > asked.plus(EXCEPTION_DAYS);
        if !due || document.state != exception_machine::OPEN {
            return Ok(());
        }
        let reason = both(
            &format!("C-36 {EXCEPTION_DAYS} 天内无人答复"),
            &format!("C-36 not answered within {EXCEPTION_DAYS} days"),
        );
        self.step(document, (&exception_machine::EXCEPTION, "expire"), &reason, None, now_ms)
    }

    /// Writes a step that nobody takes.
    pub(crate) fn step(
        &mut self,
        document: &Document,
        (machine, name): (&Machine, &str),
        reason: &str,
        rev: Option<u32>,
        now_ms: u64,
    ) -> Result<(), AuthorError> {
        let Some((index, _)) = machine.step(name) else {
            return Ok(());
        };
        let saw = content_digest(&[document]);
        let decision = Decision {
            step: index,
            role: Role::ADMIN,
            on_behalf_of: None,
            to: None,
            reason: reason.to_owned(),
            saw: Some(saw),
            picks: None,
        };
        let approval = Approvals {
            step: text(name),
            rev: rev.map(Count),
            content: Some(Digest(saw.to_vec())),
            note: text(reason),
            at: Some(instant(now_ms)),
            ..Approvals::default()
        };
        // Serialising plain data into a growing vector has no way to fail.
        let bytes = postcard::to_allocvec(&decision).unwrap_or_default();
        let writes = vec![Write { tag: DECISION_TAG, bytes }, put(&[approval])];
        let op = NewOp { kind: document.kind, on: On::Document(document.id), writes };
        self.write(vec![op], now_ms)?;
        self.tray.written += 1;
        Ok(())
    }
}

/// Whether nothing follows for a claim but its file.
fn is_ended(state: u8) -> bool {
    use claim_machine::{CLOSED, PAID, REJECTED, VOID};
    [PAID, CLOSED, REJECTED, VOID].contains(&state)
}

/// Why the step was taken, as it stands in the history: both languages, for whoever reads it.
fn said(step: SystemStep) -> String {
    let zh = match step.step {
        "sup_skip" | "gm_skip" | "mgr_skip" if step.rule == "P-07" => "报销人即为或高于本步骤的审批人",
        "sup_skip" | "gm_skip" | "mgr_skip" => "制度不设此步骤",
        "vp_ask" => "超过副总审批限额",
        "release" => "财务恢复收单",
        "close" => "付款满三十天",
        _ => "",
    };
    both(&format!("{} {zh}", step.rule), &format!("{} {}", step.rule, step.reason))
}

#[cfg(test)]
mod tests;
