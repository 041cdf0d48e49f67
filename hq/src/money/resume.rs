//! After a restore nothing is paid until a person has compared with the bank: payment batches never leave headquarters,
//! so none that is younger than the backup comes back from a device.
//!
//! Source: docs/OPERATIONS.md, Claims and money; docs/RULES.md H-16, H-17.

use records::id::DocId;
use records::kinds::claim_machine as at;
use records::kinds::number;
use records::kinds::payment::{PaymentClaims, Results};
use records::time::Zone;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::pay::{Batch, finance};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{ROWS_MAX, instant, link, put, text};
use crate::store::StoreError;

/// Why payments stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standstill {
    /// When headquarters was restored, milliseconds UTC.
    pub since_ms: u64,
    /// Devices that took part before and were not heard from since.
    pub silent: usize,
}

/// What went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The batch of what the bank had paid already; `None` where nothing was named that had to be entered.
    pub batch: Option<Batch>,
    /// Named claims that were marked as paid already: a device brought that back.
    pub known: Vec<String>,
}

impl Desk {
    /// Returns why nothing may be paid now; `None` where nothing stands against it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn standstill(&self) -> Result<Option<Standstill>, StoreError> {
        let Some(since_ms) = self.store.payments_held()? else {
            return Ok(None);
        };
        let silent = self.store.devices(None)?.into_iter().filter(|device| {
            device.standing.takes_part() && device.seen_ms.is_some_and(|seen| seen < since_ms)
        });
        Ok(Some(Standstill { since_ms, silent: silent.count() }))
    }

    /// Refuses while payments stand still.
    ///
    /// # Errors
    /// H-16.
    pub(crate) fn moving(&self) -> Result<(), MoneyError> {
        let Some(still) = self.standstill()? else {
            return Ok(());
        };
        let day = instant(still.since_ms).day(Zone::SHANGHAI);
        Err(Refusal::by("H-16").with("day", day).with("silent", still.silent).into())
    }

    /// Lets payments go on: somebody of finance compared with the bank's statement.
    ///
    /// `paid` names the claims that the bank paid and this headquarters does not know of. They come into a batch of
    /// their own, which goes the way of every batch, with a second person and without a line in the bank's file.
    ///
    /// # Errors
    /// W-08 without the role, W-11 without a reason, H-01 and H-02 for a claim that is not known, H-17 for one that is
    /// not with finance, H-10 for one in another batch, H-18 where nothing stands still; then nothing is changed.
    pub fn resume(
        &mut self,
        paid: &[String],
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Resumed, MoneyError> {
        finance(actor)?;
        if self.standstill()?.is_none() {
            return Err(Refusal::by("H-18").into());
        }
        if reason.trim().is_empty() {
            let none = Refusal::by("W-11").label("step", "恢复付款", "Let payments go on");
            return Err(none.with("code", "pay resume").into());
        }
        let (mut rows, mut known) = (Vec::new(), Vec::new());
        for name in paid {
            let held = self.claim(name)?;
            if matches!(held.claim.state, at::PAID | at::CLOSED) {
                known.push(held.no());
            } else {
                rows.push(self.was_paid(&held)?);
            }
        }
        rows.sort_by(|a: &PaymentClaims, b| a.claim_no.cmp(&b.claim_no));
        rows.dedup();
        let batch = match rows.as_slice() {
            [] => None,
            rows => Some(self.enter_paid(rows, reason, actor, now_ms)?),
        };
        self.store.payments_let_go()?;
        let about = format!("{}: {}", actor.code, reason.trim());
        self.store.audit(0, now_ms, "payments go on", &about)?;
        Ok(Resumed { batch, known })
    }

    /// Returns the row of a claim that the bank paid.
    fn was_paid(&mut self, held: &Held) -> Result<PaymentClaims, MoneyError> {
        let id = held.record.id;
        if held.claim.state != at::FIN_RECEIVED {
            let refusal = Refusal::by("H-17").with("claim", held.no());
            let states = held.record.kind.machine.map_or(&[][..], |machine| machine.states);
            let (zh, en) =
                states.get(usize::from(held.claim.state)).map_or(("", ""), |state| (state.zh, state.en));
            return Err(refusal.label("state", zh, en).into());
        }
        let home = self.home(id.0.replica)?.unwrap_or(0);
        if let Some(payment) = self.store.in_payment(home, id)? {
            let payment = self.payment(&payment.to_string())?.no;
            return Err(Refusal::by("H-10").with("claim", held.no()).with("payment", payment).into());
        }
        Ok(PaymentClaims {
            claim: link(id),
            claim_no: text(&held.no()),
            staff: link(held.claim.staff),
            amount: Some(held.payable()),
        })
    }

    /// Writes the batch of what was paid, with the bank's word on each.
    fn enter_paid(
        &mut self,
        rows: &[PaymentClaims],
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Batch, MoneyError> {
        let payment: DocId = self.open_batch(rows, reason, actor, now_ms)?;
        let result = |row: &PaymentClaims| Results {
            claim: row.claim.clone(),
            ok: Some(true),
            note: text(reason),
            by: link(actor.staff),
            at: Some(instant(now_ms)),
        };
        let results: Vec<Results> = rows.iter().map(result).collect();
        for chunk in results.chunks(ROWS_MAX) {
            let op = NewOp { kind: number::PAYMENT, on: On::Document(payment), writes: vec![put(chunk)] };
            self.write(vec![op], now_ms)?;
        }
        self.payment(&payment.to_string())
    }
}
