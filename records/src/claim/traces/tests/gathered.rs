//! The trail itself, out of records.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::traces::gather::{self, Index, Made};
use crate::claim::traces::marks::{self, Mark};
use crate::claim::traces::tests::{check, day, id, me, ts};
use crate::id::{DocId, Replica};
use crate::kinds::claim::{CLAIM, Claimant, Lines, Placed, Submission};
use crate::kinds::claim_machine as at;
use crate::kinds::repair::REPAIR;
use crate::kinds::sheet::Visit;
use crate::kinds::voucher::{Amount, Category, Dated, InvoiceNo, Seller, VOUCHER};
use crate::money::Fen;
use crate::policy::terms::Policy;
use crate::record::Record;
use crate::time::Zone;
use crate::value::{Count, Ref, Target, Text};

/// Records in memory, listed under their marks.
struct Memory(BTreeMap<DocId, Made>);

impl Index for Memory {
    type Error = std::convert::Infallible;

    fn listed(&mut self, mark: &Mark) -> Result<Vec<DocId>, Self::Error> {
        let bears = |made: &&Made| marks::of(&made.record, Zone::SHANGHAI).contains(mark);
        Ok(self.0.values().filter(bears).map(|made| made.record.id).collect())
    }

    fn devices(&mut self, staff: DocId) -> Result<Vec<Replica>, Self::Error> {
        let own = |made: &&Made| made.author == Some(staff);
        Ok(self.0.values().filter(own).map(|made| made.record.id.0.replica).collect())
    }

    fn record(&mut self, id: DocId) -> Result<Option<Made>, Self::Error> {
        Ok(self.0.get(&id).cloned())
    }
}

fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    Some(Text(text.to_owned()))
}

fn to<const KIND: u16>(id: DocId) -> Option<Ref<KIND>> {
    Some(Ref(Target::Doc(id)))
}

fn voucher(seq: u64, number: &str, date: &str) -> Record {
    Record::new(id(seq), &VOUCHER)
        .with(&[Amount { amount: Some(Fen(5600)), ..Amount::default() }])
        .with(&[Dated { date: Some(day(date)) }])
        .with(&[Seller { seller: text("中国石化") }])
        .with(&[InvoiceNo { inv_no: text(number), inv_code: text("044031900111"), ..InvoiceNo::default() }])
}

fn claim_record(seq: u64, staff: DocId, vouchers: &[u64]) -> Record {
    let lines: Vec<Lines> = (1..)
        .zip(vouchers)
        .map(|(n, _)| Lines {
            line: Some(Count(n)),
            category: Some(Category::MEAL),
            date: Some(day("2026-03-10")),
            claimed: Some(Fen(5600)),
            ..Lines::default()
        })
        .collect();
    let placed: Vec<Placed> = (1..)
        .zip(vouchers)
        .map(|(n, voucher)| Placed { line: Some(Count(n)), voucher: to(id(*voucher)), ..Placed::default() })
        .collect();
    let submission = Submission {
        submitted_day: Some(day("2026-03-16")),
        cycle: text("2026-03-B"),
        ..Submission::default()
    };
    let claimant =
        Claimant { staff: to(staff), unit: to(id(800)), half: text("2026-03-H1"), cost_owner: None };
    let mut record =
        Record::new(id(seq), &CLAIM).with(&[claimant]).with(&[submission]).with(&lines).with(&placed);
    record.state = at::SUBMITTED;
    record
}

#[test]
fn a_trail_is_gathered_from_records_by_their_marks() {
    let repair = Record::new(id(50), &REPAIR).with(&[Visit {
        arrived: Some(ts("2026-03-10T09:00:00+08:00")),
        left: Some(ts("2026-03-10T11:00:00+08:00")),
    }]);
    let own = claim_record(1, me(), &[10]);
    let records = [
        (own.clone(), me()),
        (claim_record(2, id(901), &[11, 12]), id(901)),
        (voucher(10, "32218550", "2026-03-10"), me()),
        (voucher(11, "32218550", "2026-03-12"), id(901)),
        (voucher(12, "32218555", "2026-03-11"), id(901)),
        (voucher(13, "32218999", "2026-03-13"), id(901)),
        (repair, me()),
    ];
    let made = |(record, author): (Record, DocId)| (record.id, Made { record, author: Some(author) });
    let mut memory = Memory(records.into_iter().map(made).collect());
    let policy = Policy::parse("").unwrap();
    let trail = gather::trail(&own, &policy, &mut memory).unwrap().unwrap();
    let known: BTreeSet<DocId> = trail.papers.keys().copied().collect();
    assert_eq!(known, [id(10), id(11), id(12)].into(), "what resembles nothing is not read");
    assert_eq!(trail.claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(trail.peers, [Fen(11_200)]);
    assert!(trail.sheets.contains_key(&id(50)), "a sheet without an engineer is its device's");
    check(&trail, &["A1", "A5"]);

    let twins = gather::twins(&memory.0[&id(11)].clone(), &policy, &mut memory).unwrap();
    assert_eq!(twins.iter().map(|(paper, _)| paper.id).collect::<Vec<_>>(), [id(10)]);
    let claims = gather::claims_with(id(12), &mut memory).unwrap();
    assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [id(2)]);
}
