//! Finance: claims are taken in, put into one payment batch, approved by a second person, sent to the bank, and paid once.

use std::collections::{BTreeMap, BTreeSet};

use records::id::DocId;
use records::kinds::payment::{PAYMENT, PaymentClaims, PaymentNo, Results};
use records::kinds::payment_machine as at;
use records::kinds::staff::Role;
use records::kinds::{claim_machine, number};
use records::money::Fen;
use records::problems::Problem;
use records::record::Record;
use records::time::{Day, Zone};
use sync_protocol::merge::fingerprint::content_digest;

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::money::actor::Actor;
use crate::money::claims::Held;
use crate::money::decide::{Taken, approval};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{ROWS_MAX, instant, link, linked, put, text};
use crate::store::StoreError;

/// Numbers that the lost database may have given in a month.
const NUMBERS_SKIPPED: u32 = 100;

/// One payment of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The claim.
    pub claim: DocId,
    /// Its number.
    pub no: String,
    /// Who is paid.
    pub staff: DocId,
    /// How much.
    pub amount: Fen,
    /// What the bank said; `None` before it did.
    pub paid: Option<bool>,
    /// What is to be said of it: why it failed.
    pub note: String,
}

/// A payment batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The document.
    pub record: Record,
    /// Its number.
    pub no: String,
    /// What it pays, by claim number.
    pub payments: Vec<Payment>,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The batch.
    pub batch: Batch,
    /// Claims that it does not pay: the claimant owes more than he gets.
    pub left_out: Vec<(String, Fen)>,
}

/// What the bank answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The batch.
    pub batch: Batch,
    /// The claims that were paid.
    pub paid: Vec<String>,
    /// Of them, those that are not with finance now, frozen perhaps: each is marked as paid once it is back.
    pub later: Vec<String>,
    /// The claims that were not, and may stand in another batch now.
    pub failed: Vec<String>,
}

impl Batch {
    /// Reads it.
    pub(crate) fn of(record: Record) -> Self {
        let mut said: BTreeMap<DocId, (bool, String)> = BTreeMap::new();
        for row in record.all::<Results>() {
            if let (Some(claim), Some(ok)) = (linked(row.claim.as_ref()), row.ok) {
                said.insert(claim, (ok, row.note.map(|note| note.0).unwrap_or_default()));
            }
        }
        let payment = |row: PaymentClaims| {
            let claim = linked(row.claim.as_ref())?;
            let (paid, note) = said.get(&claim).cloned().unzip();
            Some(Payment {
                claim,
                no: row.claim_no?.0,
                staff: linked(row.staff.as_ref())?,
                amount: row.amount?,
                paid,
                note: note.unwrap_or_default(),
            })
        };
        let mut payments: Vec<Payment> = record.all().into_iter().filter_map(payment).collect();
        payments.sort_by(|a, b| (&a.no, a.claim).cmp(&(&b.no, b.claim)));
        let no = record.get::<PaymentNo>().and_then(|row| row.payment_no).map(|no| no.0).unwrap_or_default();
        Self { record, no, payments }
    }

    /// Returns what it comes to, without what the bank refused.
    #[must_use]
    pub fn total(&self) -> Fen {
        let live = self.payments.iter().filter(|payment| payment.paid != Some(false));
        Fen(live.fold(0_i64, |sum, payment| sum.saturating_add(payment.amount.0)))
    }

    /// Returns the claims that it pays or may still pay.
    pub(crate) fn pays(&self) -> impl Iterator<Item = DocId> {
        self.live().map(|payment| payment.claim)
    }

    fn live(&self) -> impl Iterator<Item = &Payment> {
        let given_up = self.record.state == at::CANCELLED;
        self.payments.iter().filter(move |payment| !given_up && payment.paid != Some(false))
    }
}

impl Desk {
    /// Takes claims in that wait at finance's door: those that are named, all or none; without names each that the rules
    /// let this person take.
    ///
    /// # Errors
    /// P-24 on a day on which finance takes nothing in, and what [`Desk::decide`] refuses.
    pub fn accept(&mut self, claims: &[String], actor: &Actor, now_ms: u64) -> Result<Vec<Held>, MoneyError> {
        self.open_today(instant(now_ms).day(Zone::SHANGHAI))?;
        self.release_held(now_ms)?;
        let mut waiting = Vec::new();
        for no in claims {
            waiting.push(self.named_record(number::CLAIM, no)?);
        }
        if claims.is_empty() {
            waiting = self.records(number::CLAIM, &[claim_machine::TO_FINANCE])?;
        }
        let mut accepted = Vec::new();
        let mut refused = None;
        for claim in waiting {
            match self.decide(claim.id, actor, &Taken::step("accept", ""), Vec::new(), now_ms) {
                Ok(_) => accepted.extend(self.held_claim(claim.id)?),
                // His own claim waits for a colleague; it does not stop the others.
                Err(error @ (MoneyError::Refused(_) | MoneyError::Ruled(_))) if claims.is_empty() => {
                    refused = refused.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        match refused.filter(|_| accepted.is_empty()) {
            Some(error) => Err(error),
            None => Ok(accepted),
        }
    }

    /// What was held while finance was closed comes to its door: the clerk looks at it once it is open.
    fn release_held(&mut self, now_ms: u64) -> Result<(), StoreError> {
        for id in self.store.in_state(number::CLAIM, &[claim_machine::HELD_BLACKOUT])? {
            if let Some(document) = self.document(id)? {
                self.tray.put(&document, now_ms);
            }
        }
        while self.attend()? {}
        Ok(())
    }

    /// Refuses where finance takes nothing in on that day (P-24).
    fn open_today(&mut self, today: Day) -> Result<(), MoneyError> {
        let closure = self.closure(today)?;
        if !closure.closed {
            return Ok(());
        }
        let problem = Problem::new("P-24", "decision", "").fact("today", today.to_string());
        Err(MoneyError::Ruled(Box::new(problem.fact("opens", closure.opens.to_string()))))
    }

    /// Sends a claim back to the auditor, while no payment batch pays it.
    ///
    /// # Errors
    /// H-10 where one does, and what [`Desk::decide`] refuses.
    pub fn send_back(
        &mut self,
        name: &str,
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Held, MoneyError> {
        let held = self.claim(name)?;
        let home = self.home(held.record.id.0.replica)?.unwrap_or(0);
        if let Some(payment) = self.store.in_payment(home, held.record.id)? {
            let payment = self.batch_of(payment)?.no;
            return Err(Refusal::by("H-10").with("claim", held.no()).with("payment", payment).into());
        }
        self.step_claim(name, &Taken::step("fin_back", reason), actor, now_ms)
    }

    /// Returns the claims that finance took in and that no batch pays, by number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unbatched(&mut self) -> Result<Vec<Held>, StoreError> {
        let mut free = Vec::new();
        for held in self.claims(&[claim_machine::FIN_RECEIVED])? {
            let home = self.home(held.record.id.0.replica)?.unwrap_or(0);
            if self.store.in_payment(home, held.record.id)?.is_none() {
                free.push(held);
            }
        }
        Ok(free)
    }

    /// Puts all claims that finance took in, and that no other batch pays, into a new batch.
    ///
    /// # Errors
    /// H-11 where there is none; W-08 without the role; H-16 after a restore.
    pub fn draft(&mut self, actor: &Actor, now_ms: u64) -> Result<Drafted, MoneyError> {
        finance(actor)?;
        self.moving()?;
        let mut left_out = Vec::new();
        let mut rows = Vec::new();
        for held in self.unbatched()? {
            let payable = held.payable();
            if payable < Fen(0) {
                left_out.push((held.no(), payable));
                continue;
            }
            rows.push(PaymentClaims {
                claim: link(held.record.id),
                claim_no: text(&held.no()),
                staff: link(held.claim.staff),
                amount: Some(payable),
            });
        }
        if rows.is_empty() {
            return Err(Refusal::by("H-11").into());
        }
        rows.sort_by(|a, b| a.claim_no.cmp(&b.claim_no));
        let payment = self.open_batch(&rows, "", actor, now_ms)?;
        let batch = self.batch_of(payment)?;
        Ok(Drafted { batch, left_out })
    }

    /// Writes the batch: its number and who drafted it first, then its claims, as many to an op as it holds.
    pub(crate) fn open_batch(
        &mut self,
        rows: &[PaymentClaims],
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<DocId, MoneyError> {
        let no = self.payment_no(instant(now_ms).day(Zone::SHANGHAI))?;
        let new = DocId(self.next_op()?);
        let record = Record::new(new, &PAYMENT);
        let mut first = vec![
            put(&[PaymentNo { payment_no: text(&no) }]),
            put(&[approval(&record, actor, &Taken::step("draft", reason), content_digest(&[]), now_ms)]),
        ];
        let mut chunks = rows.chunks(ROWS_MAX);
        first.extend(chunks.next().map(put));
        self.write(vec![NewOp { kind: number::PAYMENT, on: On::Create, writes: first }], now_ms)?;
        for chunk in chunks {
            let writes = vec![put(chunk)];
            self.write(vec![NewOp { kind: number::PAYMENT, on: On::Document(new), writes }], now_ms)?;
        }
        Ok(new)
    }

    /// Returns the next number of a month: `PAY-202603-001`; after each restore another hundred is passed over, for the
    /// bank may know some of it.
    fn payment_no(&mut self, today: Day) -> Result<String, MoneyError> {
        let (year, month, _) = today.ymd().unwrap_or_default();
        let begin = format!("PAY-{year:04}{month:02}-");
        let numbers = self.records(number::PAYMENT, &[])?.into_iter().map(|record| Batch::of(record).no);
        let last = numbers.filter_map(|no| no.strip_prefix(&begin)?.parse::<u32>().ok()).max();
        let passed_over = self.store.restores()?.saturating_mul(NUMBERS_SKIPPED);
        Ok(format!("{begin}{:03}", last.unwrap_or(0).max(passed_over).saturating_add(1)))
    }

    /// Returns the batch of that number or id.
    ///
    /// # Errors
    /// H-01, H-02.
    pub fn payment(&mut self, name: &str) -> Result<Batch, MoneyError> {
        Ok(Batch::of(self.named_record(number::PAYMENT, name)?))
    }

    /// Returns all batches, or those in a state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn payments(&mut self, states: &[u8]) -> Result<Vec<Batch>, StoreError> {
        Ok(self.records(number::PAYMENT, states)?.into_iter().map(Batch::of).collect())
    }

    fn batch_of(&mut self, id: DocId) -> Result<Batch, MoneyError> {
        let record = self.record(id)?.ok_or_else(|| Refusal::by("H-01").with("text", id))?;
        Ok(Batch::of(record))
    }

    /// Approves a batch: somebody else than who drafted it.
    ///
    /// # Errors
    /// H-12 for the person who drafted it, H-16 after a restore, and what [`Desk::decide`] refuses.
    pub fn approve_payment(&mut self, name: &str, actor: &Actor, now_ms: u64) -> Result<Batch, MoneyError> {
        self.moving()?;
        let batch = self.payment(name)?;
        let drafters = batch.record.all::<records::kinds::approval::Approvals>();
        let drafted = drafters.iter().filter(|row| row.step.as_ref().is_some_and(|step| step.0 == "draft"));
        let by: BTreeSet<DocId> = drafted
            .flat_map(|row| [linked(row.by.as_ref()), linked(row.on_behalf_of.as_ref())])
            .flatten()
            .collect();
        if actor.people().any(|person| by.contains(&person)) {
            return Err(Refusal::by("H-12").with("payment", &batch.no).with("staff", &actor.code).into());
        }
        let paid = batch.payments.iter().any(|payment| actor.people().any(|person| person == payment.staff));
        if paid {
            return Err(Refusal::by("H-12")
                .case("paid")
                .with("payment", &batch.no)
                .with("staff", &actor.code)
                .into());
        }
        self.decide(batch.record.id, actor, &Taken::step("approve", ""), Vec::new(), now_ms)?;
        self.batch_of(batch.record.id)
    }

    /// Gives a batch up before its file went out: its claims are free again.
    ///
    /// # Errors
    /// What [`Desk::decide`] refuses.
    pub fn cancel_payment(
        &mut self,
        name: &str,
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Batch, MoneyError> {
        let batch = self.payment(name)?;
        self.decide(batch.record.id, actor, &Taken::step("cancel", reason), Vec::new(), now_ms)?;
        self.batch_of(batch.record.id)
    }

    /// Enters what the bank said: all but `failed` is paid, and those claims with it.
    ///
    /// # Errors
    /// H-13 for a claim that the batch does not pay, and what [`Desk::decide`] refuses.
    pub fn confirm_payment(
        &mut self,
        name: &str,
        failed: &BTreeMap<String, String>,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<Confirmed, MoneyError> {
        let batch = self.payment(name)?;
        if let Some(no) = failed.keys().find(|no| batch.live().all(|payment| payment.no != **no)) {
            return Err(Refusal::by("H-13").with("claim", no).with("payment", &batch.no).into());
        }
        let (mut paid, mut results) = (Vec::new(), Vec::new());
        for payment in batch.live() {
            let why = failed.get(&payment.no);
            paid.extend(why.is_none().then(|| payment.clone()));
            results.push(Results {
                claim: link(payment.claim),
                ok: Some(why.is_none()),
                note: why.and_then(|why| text(why)),
                by: link(actor.staff),
                at: Some(instant(now_ms)),
            });
        }
        let id = batch.record.id;
        let mut chunks = results.chunks(ROWS_MAX);
        let last = chunks.next_back().map(put);
        // The step comes last, with the rest of the results: before it, nothing is paid.
        let known = self.decidable(id, actor)?;
        for chunk in chunks {
            let op = NewOp { kind: number::PAYMENT, on: On::Document(id), writes: vec![put(chunk)] };
            self.write(vec![op], now_ms)?;
        }
        let some_failed = known || !failed.is_empty();
        let step = if some_failed { "fail" } else { "confirm" };
        self.decide(id, actor, &Taken::step(step, ""), last.into_iter().collect(), now_ms)?;
        let mut later = Vec::new();
        for payment in &paid {
            // The bank's word stands whatever became of a claim: one of them stops none of the others.
            match self.decide(payment.claim, actor, &Taken::step("pay", &batch.no), Vec::new(), now_ms) {
                Ok(_) => {}
                Err(MoneyError::Refused(_) | MoneyError::Ruled(_)) => later.push(payment.no.clone()),
                Err(error) => return Err(error),
            }
        }
        let batch = self.batch_of(id)?;
        let gone = batch.payments.iter().filter(|payment| payment.paid == Some(false));
        let failed = gone.map(|payment| payment.no.clone()).collect();
        Ok(Confirmed { paid: paid.into_iter().map(|payment| payment.no).collect(), later, failed, batch })
    }

    /// Returns the number of the batch with which the bank paid a claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn confirmed_payment(&mut self, claim: DocId) -> Result<Option<String>, StoreError> {
        let home = self.home(claim.0.replica)?.unwrap_or(0);
        let Some(payment) = self.store.in_payment(home, claim)? else {
            return Ok(None);
        };
        let Some(batch) = self.record(payment)?.map(Batch::of) else {
            return Ok(None);
        };
        let over = [at::CONFIRMED, at::PART_FAILED].contains(&batch.record.state);
        let paid = batch.payments.iter().any(|payment| payment.claim == claim && payment.paid == Some(true));
        Ok((over && paid).then_some(batch.no))
    }

    /// Returns whether something of the batch failed already: a payee without an account.
    fn decidable(&mut self, id: DocId, actor: &Actor) -> Result<bool, MoneyError> {
        finance(actor)?;
        Ok(self.batch_of(id)?.payments.iter().any(|payment| payment.paid == Some(false)))
    }
}

/// Refuses whoever is not of finance, before anything is made that no step guards.
pub(crate) fn finance(actor: &Actor) -> Result<(), Refusal> {
    if actor.holds(&[Role::FINANCE]).is_some() {
        return Ok(());
    }
    let label = Refusal::by("W-08").with("roles", "finance").label("step", "付款批次", "Payment batch");
    Err(label.with("code", &actor.code))
}
