//! The steps that nobody takes by hand, written once.

use records::id::DocId;

use crate::money::bench::{Bench, Dev};

/// How many ops headquarters itself wrote on a document.
fn of_hq(bench: &mut Bench, doc: DocId) -> usize {
    let ops = bench.desk.history(doc).unwrap();
    ops.iter().filter(|op| op.id.replica == records::id::Replica::HQ).count()
}

#[test]
fn the_supervisors_own_claim_skips_his_step_with_the_reason_in_the_history() {
    let mut bench = Bench::new();
    let mut supervisor = bench.device("S01");
    let claim = supervisor.submit(5_000, "C1-S01-2026-0001");
    assert_eq!(bench.rule(&mut supervisor), "");
    assert_eq!(bench.state(claim), "sup_approved");
    let read = bench.claim(claim);
    let skipped = read.approvals.last().unwrap();
    assert_eq!((skipped.step.as_str(), skipped.by), ("sup_skip", None));
    assert!(skipped.note.starts_with("P-07 "), "{}", skipped.note);
    assert_eq!(of_hq(&mut bench, claim), 1);
    // Looked at again, nothing is to be done.
    let record = bench.desk.document(claim).unwrap().unwrap();
    bench.desk.tray.put(&record, bench.now_ms);
    bench.desk.transact(|_| Ok::<_, crate::store::StoreError>(())).unwrap();
    assert_eq!(of_hq(&mut bench, claim), 1);
}

#[test]
fn a_gms_own_claim_goes_to_headquarters_past_both_reviews() {
    let mut bench = Bench::new();
    let mut gm: Dev = bench.device("G01");
    let claim = gm.submit(5_000, "B1-G01-2026-0001");
    let _ = bench.push(&mut gm);
    assert_eq!(bench.state(claim), "gm_approved");
    assert_eq!(of_hq(&mut bench, claim), 2);
}

#[test]
fn an_engineers_claim_waits_for_people() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    let claim = device.submit(5_000, "C1-E01-2026-0001");
    assert_eq!(bench.rule(&mut device), "");
    assert_eq!((bench.state(claim), of_hq(&mut bench, claim)), ("submitted", 0));
}

#[test]
fn a_request_that_nobody_answers_expires_on_the_round_after_thirty_days() {
    let mut bench = Bench::new();
    let mut device = bench.device("E01");
    let ask = records::kinds::exception::Ask {
        kind_of: Some(records::kinds::exception::ExceptionKind::LATE_LINE),
        asked_by: crate::money::rows::link(device.staff()),
        reason: crate::money::rows::text("the train did not run"),
        ..Default::default()
    };
    let writes = vec![crate::money::rows::put(&[ask])];
    let asked = DocId(device.write(records::kinds::number::EXCEPTION, None, Vec::new(), writes));
    assert_eq!(bench.rule(&mut device), "");
    let day = 24 * 60 * 60 * 1000;
    let tick = |bench: &mut Bench, days: u64| {
        let now = bench.now_ms + days * day;
        bench.desk.transact(|desk| desk.tick(now)).unwrap()
    };
    assert_eq!(tick(&mut bench, 30).ops, 0);
    assert_eq!(bench.state(asked), "open");
    let done = tick(&mut bench, 31);
    assert_eq!((done.documents, done.ops), (1, 1));
    assert_eq!(bench.state(asked), "expired");
    assert_eq!(tick(&mut bench, 32), crate::money::clerk::Ticked { documents: 0, ops: 0 });
}
