//! What betrays a wrong claim, asked over everything that headquarters holds.
//!
//! Source: docs/RULES.md, Anomalies.

use std::collections::BTreeMap;

use records::claim::facts::Facts;
use records::claim::traces::gather::{self, Index, Made};
use records::claim::traces::marks::Mark;
use records::claim::traces::papers::Alike;
use records::claim::traces::trail::{Jump, Paper, Trail};
use records::claim::traces::{Trace, of_claim};
use records::claim::view::Claim;
use records::id::{DocId, Epoch, Replica};
use records::record::Record;
use records::time::Day;

use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::marks::Mark as Entered;

/// A desk as the place where records are looked up.
struct Company<'d>(&'d mut Desk);

impl Index for Company<'_> {
    type Error = StoreError;

    fn listed(&mut self, mark: &Mark) -> Result<Vec<DocId>, StoreError> {
        self.0.store.listed(&Entered::Trace(mark.to_bytes()))
    }

    fn devices(&mut self, staff: DocId) -> Result<Vec<Replica>, StoreError> {
        Ok(self.0.store.devices(Some(staff))?.into_iter().map(|device| device.replica).collect())
    }

    fn record(&mut self, id: DocId) -> Result<Option<Made>, StoreError> {
        let author = self.0.store.device(id.0.replica)?.and_then(|device| device.staff);
        Ok(self.0.record(id)?.map(|record| Made { record, author }))
    }
}

impl Desk {
    /// Returns what the rules find on a claim; nothing of what is no claim. `today` counts before its submission.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn traces_of(&mut self, claim: DocId, today: Day) -> Result<Vec<Trace>, StoreError> {
        let Some(record) = self.record(claim)? else {
            return Ok(Vec::new());
        };
        let Some(view) = Claim::of(&record) else {
            return Ok(Vec::new());
        };
        let facts = self.plain_facts(&view, today)?;
        self.traces(&record, &view, &facts)
    }

    /// Returns what the rules find on a claim's record by facts that know its policy and ceilings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn traces(
        &mut self,
        record: &Record,
        claim: &Claim,
        facts: &Facts,
    ) -> Result<Vec<Trace>, StoreError> {
        let Some(mut trail) = gather::trail(record, &facts.policy, &mut Company(self))? else {
            return Ok(Vec::new());
        };
        trail.caps = gather::ceilings(claim, facts);
        trail.jumps = self.jumps(&trail)?;
        Ok(of_claim(&trail, &facts.policy, &facts.calendar))
    }

    /// Returns the vouchers that may be the same paper as one, the surest first; nothing of what is no voucher.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn twins_of(&mut self, voucher: DocId, today: Day) -> Result<Vec<(Paper, Alike)>, StoreError> {
        let policy = self.terms()?.in_force.policy(today).clone();
        let mut company = Company(self);
        let Some(made) = company.record(voucher)? else {
            return Ok(Vec::new());
        };
        gather::twins(&made, &policy, &mut company)
    }

    /// Returns the claims that still count and stand on a voucher.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn claims_with(&mut self, voucher: DocId) -> Result<Vec<Claim>, StoreError> {
        gather::claims_with(voucher, &mut Company(self))
    }

    /// Returns how far the claimant's clocks were set between the ops that made the claim, its vouchers and sheets.
    fn jumps(&mut self, trail: &Trail) -> Result<Vec<Jump>, StoreError> {
        let tickets = trail.own().map(|(_, paper)| paper.id);
        let sheets = trail.sheets.iter().filter(|(_, sheet)| sheet.staff.contains(&trail.claim.staff));
        let mut lines: BTreeMap<(Replica, Epoch), Vec<u64>> = BTreeMap::new();
        for id in tickets.chain(sheets.map(|(id, _)| *id)).chain([trail.claim.id]) {
            lines.entry((id.0.replica, id.0.epoch)).or_default().push(id.0.seq);
        }
        let mut jumps = Vec::new();
        for (line, mut seqs) in lines {
            seqs.sort_unstable();
            let home = self.home(line.0)?.unwrap_or(0);
            let mut stood = None;
            for seq in seqs {
                let skew = self.store.came(home, line, seq)?.and_then(|came| came.skew_ms);
                if let (Some(before), Some(now)) = (stood, skew) {
                    jumps.push(Jump { replica: line.0, seq, by_ms: now.saturating_sub(before) });
                }
                stood = skew.or(stood);
            }
        }
        jumps.retain(|jump| jump.by_ms != 0);
        Ok(jumps)
    }
}

#[cfg(test)]
mod tests {
    use records::kinds::claim::{Lines, Placed};
    use records::kinds::number;
    use records::kinds::voucher::{Amount, Category, Dated, InvoiceNo};
    use records::money::Fen;
    use records::value::Count;
    use records::value::text::Lang;

    use super::*;
    use crate::money::bench::{Bench, Dev, today};
    use crate::money::rows::{link, put, text};

    /// Captures an invoice and claims it; returns the voucher and the claim.
    fn claimed(device: &mut Dev, fen: i64, no: &str) -> (DocId, DocId) {
        let numbers = InvoiceNo { inv_no: text("25152000009858579102"), ..InvoiceNo::default() };
        let writes = vec![
            put(&[Amount { amount: Some(Fen(fen)), ..Amount::default() }]),
            put(&[Dated { date: Some("2026-11-20".parse().unwrap()) }]),
            put(&[numbers]),
        ];
        let voucher = DocId(device.write(number::VOUCHER, None, Vec::new(), writes));
        let claim = device.draft(fen);
        let line = Lines {
            line: Some(Count(2)),
            category: Some(Category::COURIER),
            date: Some("2026-11-20".parse().unwrap()),
            claimed: Some(Fen(fen)),
            ..Lines::default()
        };
        let placed = Placed {
            line: Some(Count(2)),
            voucher: link(voucher),
            amount: Some(Fen(fen)),
            ..Placed::default()
        };
        device.write(number::CLAIM, Some(claim), Vec::new(), vec![put(&[line]), put(&[placed])]);
        let submission = device.submission(2 * fen, no);
        device.write(number::CLAIM, Some(claim), Vec::new(), submission);
        (voucher, claim)
    }

    #[test]
    fn one_invoice_in_two_branches_is_found_and_a_rebuild_finds_it_again() {
        let mut bench = Bench::new();
        let (mut east, mut west) = (bench.device("E01"), bench.device("E03"));
        let (voucher, claim) = claimed(&mut east, 5_600, "C1-E01-2026-0001");
        let (other, other_claim) = claimed(&mut west, 5_700, "C2-E03-2026-0001");
        bench.push(&mut east);
        bench.push(&mut west);
        let check = |bench: &mut Bench| {
            let twins = bench.desk.twins_of(voucher, today()).unwrap();
            assert_eq!(
                twins.iter().map(|(paper, how)| (paper.id, *how)).collect::<Vec<_>>(),
                [(other, Alike::Strong)]
            );
            let claims = bench.desk.claims_with(other).unwrap();
            assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [other_claim]);
            let found = bench.desk.traces_of(claim, today()).unwrap();
            let first = found.iter().find(|trace| trace.rule == "A1").unwrap();
            assert!(first.text(Lang::En).contains(&other.code()), "{}", first.text(Lang::En));
            assert_eq!(bench.desk.traces_of(voucher, today()).unwrap(), [], "a voucher is no claim");
        };
        check(&mut bench);
        bench.desk.transact(|desk| desk.rebuild(true)).unwrap();
        check(&mut bench);
    }
}
