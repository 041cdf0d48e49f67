//! What the rules must know beside a claim, whole: only headquarters holds all of it.

use std::collections::{BTreeMap, BTreeSet};

use records::claim::facts::{
    Account, BatchFact, Facts, Granted, PaymentFact, SheetFact, Spent, TripFact, Use, VoucherFact,
};
use records::claim::settle;
use records::claim::view::Claim;
use records::id::{DocId, OpId};
use records::kinds::alert::Finding;
use records::kinds::batch::{BatchNo, Dispatch};
use records::kinds::claim::{CLAIM, Placed};
use records::kinds::exception::Ask;
use records::kinds::trip::{TripOf, TripSheets};
use records::kinds::{alert_machine, claim_machine, exception_machine, number, sheet, sheet_machine};
use records::policy::cap;
use records::policy::choices::CapScope;
use records::record::Record;
use records::schema::Typed;
use records::time::{Day, Zone};
use records::value::{Target, encode};
use sync_protocol::merge::{Document, Entry, Standing};

use crate::intake::desk::Desk;
use crate::money::pay::Batch;
use crate::money::rows::linked;
use crate::reading;
use crate::store::StoreError;
use crate::store::marks::Mark;

/// Where a claim's vouchers are used up, and its lines take from ceilings.
fn is_live(state: u8) -> bool {
    let gone = [claim_machine::DRAFT, claim_machine::RETURNED, claim_machine::VOID, claim_machine::REJECTED];
    !gone.contains(&state)
}

impl Desk {
    /// Returns all that the rules must know of a claim on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn facts(&mut self, claim: &Claim, today: Day) -> Result<Facts, StoreError> {
        let mut facts = self.plain_facts(claim, today)?;
        self.add_paper(claim, &mut facts)?;
        self.add_uses(claim, &mut facts)?;
        self.add_exceptions(claim, &mut facts)?;
        self.add_circumstances(claim, &mut facts)?;
        self.add_spent(claim, today, &mut facts)?;
        Ok(facts)
    }

    /// Sheets, trip summaries and vouchers that the claim names.
    fn add_paper(&mut self, claim: &Claim, facts: &mut Facts) -> Result<(), StoreError> {
        let mut sheets: BTreeSet<DocId> =
            claim.lines.iter().flat_map(|line| &line.sheets).filter_map(doc).collect();
        for trip in &claim.trips {
            if let Some(fact) = self.record(*trip)?.as_ref().and_then(trip_fact) {
                sheets.extend(fact.sheets.values().flatten());
                facts.trips.insert(*trip, fact);
            }
        }
        for id in sheets {
            let author = self.store.device(id.0.replica)?.and_then(|device| device.staff);
            facts.sheets.extend(self.record(id)?.map(|record| (id, sheet_fact(&record, author))));
        }
        for id in claim.lines.iter().flat_map(|line| &line.vouchers).filter_map(|ticket| ticket.voucher) {
            let fact =
                |record: Record| VoucherFact { state: record.state, files_here: true, alike: None, qr: None };
            facts.vouchers.extend(self.record(id)?.map(|record| (id, fact(record))));
        }
        Ok(())
    }

    /// Where its vouchers' keys stand on claims, its own among them.
    fn add_uses(&mut self, claim: &Claim, facts: &mut Facts) -> Result<(), StoreError> {
        let tickets = claim.lines.iter().flat_map(|line| &line.vouchers);
        let keys: BTreeSet<&str> =
            tickets.map(|ticket| ticket.key.as_str()).filter(|key| !key.is_empty()).collect();
        for key in keys {
            let mut users = Vec::new();
            for id in self.store.marked(&Mark::Key(key.to_owned()), number::CLAIM)? {
                let Some(document) = self.document(id)? else { continue };
                let other = reading::record(&document).and_then(|record| Claim::of(&record));
                let Some(other) = other.filter(|other| is_live(other.state)) else { continue };
                users.push((other, self.spans(&document, key)?));
            }
            for (at, (other, spans)) in users.iter().enumerate() {
                let others = users.iter().enumerate().filter(|(place, _)| *place != at);
                let rivals: Vec<u64> =
                    others.filter_map(|(_, (_, spans))| spans.first().map(|span| span.0)).collect();
                let arrival = arrival(spans, &rivals);
                let lines =
                    other.lines.iter().filter(|line| line.vouchers.iter().any(|ticket| ticket.key == key));
                let uses = lines.map(|line| Use {
                    claim: other.id,
                    no: other.no.clone().unwrap_or_default(),
                    line: line.n,
                    staff: other.staff,
                    arrival,
                });
                facts.taken.entry(key.to_owned()).or_default().extend(uses);
            }
        }
        Ok(())
    }

    /// Returns HQ's orders from when to when a claim stood submitted with a voucher's key on it: from each submission to
    /// the return or withdrawal after it.
    fn spans(&mut self, document: &Document, key: &str) -> Result<Vec<(u64, Option<u64>)>, StoreError> {
        let placed = Placed::GROUP.tag();
        let entries = document.sets.get(&placed).map(Vec::as_slice).unwrap_or_default();
        let of_key = |entry: &&Entry| {
            let bytes = entry.row(&Placed::GROUP).map(|row| encode(Placed::GROUP.fields, &row));
            let row = bytes.and_then(|bytes| postcard::from_bytes::<Placed>(&bytes).ok());
            row.and_then(|row| row.key).is_some_and(|known| known.0 == key)
        };
        let mut since = None;
        for entry in entries.iter().filter(of_key) {
            let order = self.order_of(entry.op)?;
            since = since.min(order).or(since).or(order);
        }
        let step = |name: &str| CLAIM.machine.and_then(|machine| machine.step(name)).map(|(index, _)| index);
        let ends = ["sup_return", "gm_return", "withdraw"].map(step);
        let mut spans: Vec<(u64, Option<u64>)> = Vec::new();
        for ruled in document.decisions.iter().filter(|ruled| ruled.standing == Standing::Stands) {
            let Some(order) = self.order_of(ruled.op)? else { continue };
            if Some(ruled.step) == step("submit") && since.is_none_or(|since| since <= order) {
                spans.push((order, None));
            } else if ends.contains(&Some(ruled.step))
                && let Some(last) = spans.last_mut()
            {
                last.1 = Some(order);
            }
        }
        Ok(spans)
    }

    fn order_of(&mut self, op: OpId) -> Result<Option<u64>, StoreError> {
        Ok(self.judged(op)?.and_then(|op| op.judgement).map(|judgement| judgement.order))
    }

    /// Exceptions that were granted to the claim or its person, and for its vouchers and batch.
    fn add_exceptions(&mut self, claim: &Claim, facts: &mut Facts) -> Result<(), StoreError> {
        for record in self.records(number::EXCEPTION, &[exception_machine::APPROVED])? {
            let granted = granted(&record);
            let mine = granted.claim.is_none_or(|id| id == claim.id)
                && granted.staff.is_none_or(|staff| staff == claim.staff || granted.batch.is_some());
            facts.exceptions.extend(Some(granted).filter(|_| mine));
        }
        Ok(())
    }

    /// Returns the rules of the anomalies of a claim that nobody explained yet: those that an approval acknowledges.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unexplained(&mut self, claim: DocId) -> Result<BTreeSet<String>, StoreError> {
        let mut rules = BTreeSet::new();
        for id in self.store.marked(&Mark::Claim(claim), number::ALERT)? {
            let Some(alert) = self.record(id)? else { continue };
            if [alert_machine::OPEN, alert_machine::CONFIRMED].contains(&alert.state) {
                rules.extend(alert.get::<Finding>().and_then(|finding| finding.rule).map(|rule| rule.0));
            }
        }
        Ok(rules)
    }

    /// Alerts, authors, batch, payment, and whether it was withdrawn on the way.
    fn add_circumstances(&mut self, claim: &Claim, facts: &mut Facts) -> Result<(), StoreError> {
        let of_claim = Mark::Claim(claim.id);
        let unexplained = self.unexplained(claim.id)?;
        if !unexplained.is_empty() {
            facts.alerts.insert(claim.id, unexplained);
        }
        for id in self.store.marked(&of_claim, number::PAYMENT)? {
            let Some(batch) = self.record(id)?.map(Batch::of) else { continue };
            let paid = batch.payments.iter().filter(|payment| payment.claim == claim.id);
            let state = batch.record.state;
            let rows = paid.map(|payment| PaymentFact { payment: id, state, paid: payment.paid });
            facts.payments.entry(claim.id).or_default().extend(rows);
        }
        for id in self.store.marked(&of_claim, number::BATCH)? {
            let Some(batch) = self.record(id)?.map(|record| batch_fact(&record)) else { continue };
            let later = facts.batch.get(&claim.id).is_none_or(|held| held.dispatched <= batch.dispatched);
            if later {
                facts.batch.insert(claim.id, batch);
            }
        }
        if let Some(document) = self.document(claim.id)? {
            let lost = |ruled: &&sync_protocol::merge::Ruled| {
                matches!(ruled.standing, Standing::Superseded | Standing::TooLate)
                    && claim_machine::CLAIM.step_at(ruled.step).is_some_and(|step| step.lost_flag.is_some())
            };
            facts.withdrawn.extend(document.decisions.iter().find(lost).map(|_| claim.id));
            let mut ops = Vec::new();
            for id in &document.ops {
                ops.extend(self.judged(*id)?);
            }
            let authors = self.authors(&records::kinds::claim::CLAIM, &ops)?;
            facts.authors.insert(claim.id, authors);
        }
        Ok(())
    }

    /// What other claims take from the ceilings under which its lines stand.
    fn add_spent(&mut self, claim: &Claim, today: Day, facts: &mut Facts) -> Result<(), StoreError> {
        if facts.caps.is_empty() {
            return Ok(());
        }
        let whose = match facts.policy.caps.scope {
            CapScope::PerPerson => Some(Mark::Staff(claim.staff)),
            CapScope::PerUnit => claim.unit.map(Mark::Unit),
        };
        let Some(whose) = whose else { return Ok(()) };
        let mut others = Vec::new();
        for id in self.store.marked(&whose, number::CLAIM)? {
            let held = self.held_claim(id)?.filter(|held| id != claim.id && is_live(held.claim.state));
            others.extend(held.map(|held| held.claim));
        }
        others.sort_by_cached_key(|other| settle::order(other, 0));
        for other in others {
            for (account, spent) in self.takes(&other, today, facts)? {
                facts.spend(account, spent);
            }
        }
        Ok(())
    }

    /// Returns what a claim takes from ceilings: by its audit, else by what the rules leave of it after those before.
    fn takes(
        &mut self,
        other: &Claim,
        today: Day,
        facts: &Facts,
    ) -> Result<Vec<(Account, Spent)>, StoreError> {
        if other.lines.iter().all(|line| other.audit.contains_key(&line.n)) {
            return Ok(other.lines.iter().filter_map(|line| audited(other, line, facts)).collect());
        }
        let mut beside = self.plain_facts(other, today)?;
        self.add_paper(other, &mut beside)?;
        self.add_uses(other, &mut beside)?;
        self.add_exceptions(other, &mut beside)?;
        beside.spent.clone_from(&facts.spent);
        Ok(settle::spends(other, &settle::settle(other, &beside)))
    }
}

/// Returns the submission by which a claim holds a voucher: its first one, or the first after the last return in which
/// somebody else took the voucher. `rivals` are the others' first submissions.
fn arrival(spans: &[(u64, Option<u64>)], rivals: &[u64]) -> Option<u64> {
    let mut held = None;
    let mut ended: Option<u64> = None;
    for (from, to) in spans {
        let lost = ended.is_some_and(|ended| rivals.iter().any(|rival| (ended..*from).contains(rival)));
        held = held.filter(|_| !lost).or(Some(*from));
        ended = *to;
    }
    held
}

fn audited(claim: &Claim, line: &records::claim::view::Line, facts: &Facts) -> Option<(Account, Spent)> {
    let category = line.category?;
    let month = cap::month(category, line.date?, line.service_month, &facts.policy.caps)?;
    let paid = claim.audit.get(&line.n)?.payable;
    let order = settle::order(claim, line.n);
    let spent = Spent { claim: claim.id, unit: claim.unit, paid, audited: true, order };
    Some((Account { category, month, staff: claim.staff }, spent))
}

fn doc(target: &Target) -> Option<DocId> {
    match target {
        Target::Doc(id) => Some(*id),
        Target::Text(_) => None,
    }
}

fn sheet_fact(record: &Record, author: Option<DocId>) -> SheetFact {
    let visit = record.get::<sheet::Visit>().unwrap_or_default();
    let day = |at: Option<records::time::Ts>| at.map(|at| at.day(Zone::SHANGHAI));
    let (first, last) = (day(visit.arrived), day(visit.left));
    let days = match (first, last) {
        // A slip of the keyboard must not make a year of days.
        (Some(first), Some(last)) => (first.0..=last.0).take(62).map(Day).collect(),
        (first, last) => first.or(last).into_iter().collect(),
    };
    let engineer = record.get::<sheet::Engineer>().and_then(|row| linked(row.engineer.as_ref()));
    SheetFact {
        days,
        staff: engineer.into_iter().chain(author).collect(),
        stands: ![sheet_machine::VOID, sheet_machine::RETURNED].contains(&record.state),
    }
}

fn trip_fact(record: &Record) -> Option<TripFact> {
    let of = record.get::<TripOf>()?;
    let mut sheets: BTreeMap<Day, BTreeSet<DocId>> = BTreeMap::new();
    for row in record.all::<TripSheets>() {
        if let (Some(date), Some(id)) = (row.date, linked(row.sheet.as_ref())) {
            sheets.entry(date).or_default().insert(id);
        }
    }
    Some(TripFact {
        staff: linked(of.staff.as_ref())?,
        half: of.half?.0.parse().ok()?,
        state: record.state,
        sheets,
    })
}

fn batch_fact(record: &Record) -> BatchFact {
    let of = record.get::<BatchNo>().unwrap_or_default();
    BatchFact {
        batch: record.id,
        branch: linked(of.branch.as_ref()),
        state: record.state,
        due: of.due_day,
        dispatched: record.get::<Dispatch>().and_then(|row| row.dispatched_day),
    }
}

fn granted(record: &Record) -> Granted {
    let ask = record.get::<Ask>().unwrap_or_default();
    Granted {
        kind: ask.kind_of.unwrap_or(records::kinds::exception::ExceptionKind::OTHER),
        staff: linked(ask.asked_by.as_ref()),
        claim: linked(ask.claim.as_ref()),
        line: ask.line.map(|line| line.0),
        voucher: linked(ask.voucher.as_ref()),
        batch: linked(ask.batch.as_ref()),
        category: ask.category,
        month: ask.month.and_then(|month| month.0.parse().ok()),
        amount: ask.amount.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returned_claim_keeps_its_place_unless_somebody_took_the_voucher_meanwhile() {
        let check = |spans: &[(u64, Option<u64>)], rivals: &[u64], expected| {
            assert_eq!(arrival(spans, rivals), expected, "{spans:?} {rivals:?}");
        };
        let returned = [(10, Some(20)), (40, None)];
        check(&[(10, None)], &[15], Some(10));
        check(&returned, &[], Some(10));
        check(&returned, &[15], Some(10));
        check(&returned, &[50], Some(10));
        check(&returned, &[30], Some(40));
        check(&[(10, Some(20)), (40, Some(45)), (60, None)], &[30], Some(40));
        check(&[], &[15], None);
    }
}
