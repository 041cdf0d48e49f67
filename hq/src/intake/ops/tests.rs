//! Ops that wait: however many there are and in whatever order they come, each is judged again a few times at most.

use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::number;
use sync_protocol::chain::Link;
use sync_protocol::op::Row;
use sync_protocol::ruling::Verdict;
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;

use crate::data::Data;
use crate::intake::desk::Desk;
use crate::store::devices::Device;

const FIRST: u32 = 7;
const NOW_MS: u64 = 1_795_300_000_000;

fn op(replica: u32, seq: u64) -> OpId {
    OpId { replica: Replica(replica), epoch: Epoch(1), seq }
}

fn row(doc: Option<OpId>, seen: Vec<OpId>) -> Row {
    Row {
        kind: number::REPAIR,
        schema: 1,
        doc: doc.map(DocId),
        stamp: Stamp { ms: NOW_MS, counter: 0 },
        seen,
        forked_from: None,
        writes: Vec::new(),
    }
}

fn signer(replica: u32) -> Signer {
    Signer::from_seed(&[u8::try_from(replica).unwrap(); 32]).unwrap()
}

fn office(devices: u32) -> (tempfile::TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(folder.path());
    data.init("http://127.0.0.1:7400").unwrap();
    let desk = data.open(false).unwrap();
    for replica in FIRST..FIRST + devices {
        let key = Some(signer(replica).public());
        desk.store.device_put(&Device { key, ..Device::named(Replica(replica), 3, (0, 0)) }).unwrap();
    }
    (folder, desk)
}

fn segments(replica: u32, (first, before): (u64, Link), rows: &[Row]) -> Vec<Segment> {
    let line = (Replica(replica), Epoch(1));
    cut(&signer(replica), &Run { line, first, before, parent: None, test_clock: false, rows }).unwrap()
}

/// Lets one device's ops come; returns how often any op was judged.
fn take(desk: &mut Desk, replica: u32, rows: &[Row]) -> u64 {
    let segments = segments(replica, (1, Link::ROOT), rows);
    let before = desk.store.order().unwrap();
    desk.transact(|desk| desk.take(segments, NOW_MS)).unwrap();
    desk.store.order().unwrap() - before
}

/// On each of a hundred documents each device's op saw the device's before it, and the last device comes first.
#[test]
fn ops_that_come_in_the_wrong_order_are_each_judged_a_few_times_at_most() {
    const DEVICES: u32 = 30;
    const DOCS: u64 = 100;
    let (_folder, mut desk) = office(DEVICES);
    take(&mut desk, FIRST, &vec![row(None, Vec::new()); usize::try_from(DOCS).unwrap()]);
    let mut judged = 0;
    for replica in (FIRST + 1..FIRST + DEVICES).rev() {
        let on = |doc: u64| row(Some(op(FIRST, doc)), vec![op(replica - 1, doc)]);
        judged += take(&mut desk, replica, &(1..=DOCS).map(on).collect::<Vec<_>>());
        assert_eq!(desk.store.anything_waits().unwrap(), replica > FIRST + 1);
    }
    // Once as it comes, once as the one before it comes, once as that one waits no more.
    assert!(judged <= 3 * u64::from(DEVICES) * DOCS, "{judged} judgements");
}

/// What an op waits for comes with the same delivery: its second verdict took the place of the first one, and with it
/// that of all ops that were ruled on in one run with it. They had no verdict any more.
#[test]
fn an_op_that_waited_within_one_delivery_costs_no_other_one_its_verdict() {
    let (_folder, mut desk) = office(2);
    let mut all = segments(FIRST, (1, Link::ROOT), &[row(None, Vec::new())]);
    let end = (2, all[0].link);
    let waits = row(Some(op(FIRST, 1)), vec![op(FIRST + 1, 1)]);
    all.extend(segments(FIRST, end, &[waits, row(None, Vec::new())]));
    all.extend(segments(FIRST + 1, (1, Link::ROOT), &[row(None, Vec::new())]));
    desk.transact(|desk| desk.take(all, NOW_MS)).unwrap();
    let branch = desk.home(Replica(FIRST)).unwrap().unwrap();
    for seq in 1..=3 {
        let judged = desk.store.judgement(branch, op(FIRST, seq), Stamp::default()).unwrap();
        let verdict = judged.map(|judged| judged.verdict);
        assert!(matches!(verdict, Some(Verdict::Quarantined { .. })), "op {seq}, of nobody: {verdict:?}");
    }
}

/// All wait behind the first one, on one document and on one line, and that one for what is not there.
#[test]
fn ops_behind_one_that_waits_are_judged_once_more_each_when_it_comes() {
    const MANY: usize = 300;
    let (_folder, mut desk) = office(2);
    let mut rows = vec![row(None, Vec::new()), row(Some(op(FIRST, 1)), vec![op(FIRST + 1, 1)])];
    rows.resize(MANY, row(Some(op(FIRST, 1)), Vec::new()));
    take(&mut desk, FIRST, &rows);
    assert_eq!(desk.store.waiting_ops().unwrap().len(), MANY - 1);
    let judged = take(&mut desk, FIRST + 1, &[row(None, Vec::new())]);
    assert_eq!(desk.store.waiting_ops().unwrap(), []);
    assert_eq!(judged, u64::try_from(MANY).unwrap());
}

/// Each on a document of its own: none of them is looked at for another one's document.
#[test]
fn thousands_that_wait_hold_up_nothing_on_other_documents() {
    const MANY: u64 = 3_000;
    let (_folder, mut desk) = office(1);
    let mut rows = vec![row(None, Vec::new()); usize::try_from(2 * MANY).unwrap()];
    rows.extend((1..=MANY).map(|seq| row(Some(op(FIRST, seq)), vec![op(9, 1)])));
    rows.extend((MANY + 1..=2 * MANY).map(|seq| row(Some(op(FIRST, seq)), Vec::new())));
    take(&mut desk, FIRST, &rows);
    assert_eq!(u64::try_from(desk.store.waiting_ops().unwrap().len()).unwrap(), MANY);
}
