//! What HQ said before a restore stands after it, whatever comes first.

use std::path::Path;

use records::id::{Epoch, OpId, Replica};
use records::kinds::number;
use sync_protocol::asides::{Ask, Vouched};
use sync_protocol::chain::Link;
use sync_protocol::columns;
use sync_protocol::conversation::{Answer, RequestHash, read_answer, write_answer};
use sync_protocol::cursor::Cursor;
use sync_protocol::message::{Certificate, Compared, Enrol, Extract, Item, PageEnd, PushAck};
use sync_protocol::op::Row;
use sync_protocol::proof::AnswerProof;
use sync_protocol::ruling::{Judgement, Ruling, Verdict};
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::{PublicKey, Signer};
use sync_protocol::stamp::Stamp;

use super::stands_over;
use crate::data::Data;
use crate::enrol::{Bound, Reach};
use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::{Device, Standing};
use crate::store::log::{Came, Kept};

const LINE: (Replica, Epoch) = (Replica(7), Epoch(1));
const STAFF: &str = "code,name,unit,roles\nE1,Wang,B1,engineer\n";
const HOUR_MS: u64 = 3_600_000;
/// When the op came the first time; its stamp is an hour ahead of that.
const RECEIVED_MS: u64 = 1_795_300_000_000;

fn judged(order: u64, version: u8, verdict: Verdict) -> Judgement {
    Judgement { order, effective: Stamp::default(), verdict, version }
}

#[test]
fn the_earlier_word_stands_over_one_given_without_it() {
    let (old, new) = (judged(5, 1, Verdict::Accepted), judged(500, 1, Verdict::Merged));
    assert_eq!(stands_over(&old, &new, 100), Some(2));
    assert_eq!(stands_over(&old, &old, 100), None);
    let later = judged(9, 2, Verdict::TooLate);
    assert_eq!(stands_over(&later, &old, 100), Some(2));
    assert_eq!(stands_over(&old, &later, 100), None);
    let waits = Verdict::Deferred { missing: "1.1.1".parse().unwrap() };
    assert_eq!(stands_over(&judged(5, 1, waits), &new, 100), None);
}

fn device() -> Signer {
    Signer::from_seed(&[7; 32]).unwrap()
}

fn rows() -> Vec<Row> {
    let stamp = Stamp { ms: RECEIVED_MS + HOUR_MS, counter: 0 };
    let row = |_| Row {
        kind: number::REPAIR,
        schema: 1,
        doc: None,
        stamp,
        seen: Vec::new(),
        forked_from: None,
        writes: Vec::new(),
    };
    (0..3).map(row).collect()
}

fn segment() -> Segment {
    let rows = rows();
    let run = Run { line: LINE, first: 1, before: Link::ROOT, parent: None, test_clock: false, rows: &rows };
    cut(&device(), &run).unwrap().remove(0)
}

fn judgement(desk: &Desk, seq: u64) -> Option<Judgement> {
    let id = OpId { replica: LINE.0, epoch: LINE.1, seq };
    desk.store.judgement(3, id, rows()[0].stamp).unwrap()
}

/// HQ's signature under an answer that brings an extract and rulings.
fn signed(desk: &Desk, extract: &Extract, rulings: Vec<Ruling>) -> AnswerProof {
    let next = Cursor { incarnation: desk.incarnation, positions: Vec::new() };
    let answer = Answer {
        ack: PushAck {
            incarnation: desk.incarnation,
            lease: [1; 8],
            held: Vec::new(),
            rulings: Vec::new(),
            digest: Compared::Not,
        },
        notices: Vec::new(),
        certificate: None,
        tells: Vec::new(),
        items: vec![Item::Extract(extract.clone())],
        rulings,
        end: PageEnd { next, more: false },
    };
    let asked = RequestHash([9; 32]);
    let bytes = write_answer(&answer, asked, &desk.signer);
    read_answer(&bytes, asked, &desk.signer.public()).unwrap().1
}

/// A headquarters that knows one device, backed up before the device's work came; the signed answer to that work, and
/// what was said of its ops.
fn before(folder: &Path) -> (AnswerProof, Extract, Vec<Option<Judgement>>) {
    let data = Data::at(&folder.join("hq"));
    data.init("http://127.0.0.1:7400").unwrap();
    let mut desk = data.open(false).unwrap();
    let key = Some(device().public());
    desk.store.device_put(&Device { key, ..Device::named(LINE.0, 3, (0, 0)) }).unwrap();
    data.back_up(&folder.join("backup")).unwrap();
    desk.transact(|desk| desk.take(vec![segment()], RECEIVED_MS)).unwrap();
    let seqs = vec![1, 3];
    let alone: Vec<Row> = rows().into_iter().take(2).collect();
    let coded = columns::encode(&alone, LINE, &seqs);
    let extract = Extract { replica: LINE.0, epoch: LINE.1, parent: None, seqs, rows: coded };
    let rulings = desk.store.rulings(3, LINE, 1, 3).unwrap();
    let proof = signed(&desk, &extract, rulings);
    (proof, extract, (1..=3).map(|seq| judgement(&desk, seq)).collect())
}

fn restored(folder: &Path) -> Desk {
    let data = Data::at(&folder.join("again"));
    data.restore(&folder.join("backup"), RECEIVED_MS + HOUR_MS).unwrap();
    data.open(false).unwrap()
}

#[test]
fn a_proven_ruling_stands_when_its_ops_come_and_when_they_came_before() {
    for shown_first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (proof, _, before) = before(folder.path());
        let mut desk = restored(folder.path());
        let proof = proof.of_rulings().unwrap();
        let later_ms = RECEIVED_MS + 2 * HOUR_MS;
        if shown_first {
            desk.transact(|desk| desk.hear_rulings(&proof)).unwrap();
        }
        desk.transact(|desk| desk.take(vec![segment()], later_ms)).unwrap();
        let anew: Vec<_> = (1..=3).map(|seq| judgement(&desk, seq)).collect();
        assert_eq!(anew == before, shown_first);
        desk.transact(|desk| desk.hear_rulings(&proof)).unwrap();
        for (seq, before) in (1..).zip(&before) {
            let (now, before) = (judgement(&desk, seq).unwrap(), before.clone().unwrap());
            assert_eq!((now.order, now.effective), (before.order, before.effective));
            assert_eq!(now.verdict, before.verdict);
            assert_eq!(now.version, if shown_first { 1 } else { 2 });
        }
    }
}

#[test]
fn ops_that_came_alone_are_judged_once_and_the_segment_agrees_or_is_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let (proof, extract, before) = before(folder.path());
    let mut desk = restored(folder.path());
    let rulings = proof.of_rulings().unwrap();
    let proof = proof.of_extracts(vec![extract]);
    desk.transact(|desk| desk.hear_rulings(&rulings)).unwrap();
    desk.transact(|desk| desk.hear_extracts(&proof, RECEIVED_MS)).unwrap();
    assert_eq!(desk.store.ops().unwrap(), 2);
    assert_eq!([judgement(&desk, 1), judgement(&desk, 2)], [before[0].clone(), None]);
    let mut other = rows();
    other[2].stamp.ms += 1;
    let run = Run { line: LINE, first: 1, before: Link::ROOT, parent: None, test_clock: false, rows: &other };
    let forked = cut(&device(), &run).unwrap();
    let taken = desk.transact(|desk| desk.take(forked, RECEIVED_MS)).unwrap();
    assert_eq!((taken.new_ops, taken.notices.len()), (0, 1), "{taken:?}");
    let taken = desk.transact(|desk| desk.take(vec![segment()], RECEIVED_MS)).unwrap();
    assert_eq!((taken.new_ops, desk.store.ops().unwrap()), (1, 3));
    assert_eq!((1..=3).map(|seq| judgement(&desk, seq)).collect::<Vec<_>>(), before);
    let forged = sync_protocol::proof::ExtractsProof { leaves: vec![[0; 32]], ..proof };
    desk.transact(|desk| desk.hear_extracts(&forged, RECEIVED_MS)).unwrap();
    assert_eq!(desk.store.ops().unwrap(), 3);
}

/// A headquarters with one engineer.
fn staffed(folder: &Path) -> (Data, Desk) {
    let data = Data::at(&folder.join("hq"));
    data.init("http://127.0.0.1:7400").unwrap();
    let mut desk = data.open(false).unwrap();
    for (kind, table) in [(number::ORG, "code,name,kind,parent\nB1,East,branch,\n"), (number::STAFF, STAFF)] {
        let kind = records::kinds::by_number(kind).unwrap();
        desk.transact(|desk| desk.import(table.as_bytes(), kind, RECEIVED_MS)).unwrap();
    }
    (data, desk)
}

/// Names a device of the engineer's and binds its key.
fn enrolled(desk: &mut Desk) -> Replica {
    let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
    let named = desk.transact(|desk| desk.issue_code("E1", &reach, RECEIVED_MS)).unwrap();
    let key = device().public();
    let proof = sync_protocol::enrolment::proof(&named.secret, named.replica, &key);
    let shown = Enrol { key, proof, scanned_ms: RECEIVED_MS, name: String::new() };
    let bound = desk.transact(|desk| desk.bind(named.replica, &shown, RECEIVED_MS)).unwrap();
    assert_eq!(bound, Bound::Yes);
    named.replica
}

/// HQ's own log.
fn words(desk: &Desk) -> Vec<Segment> {
    let mut words = Vec::new();
    let keep = |_, kept: Kept| {
        words.push(kept.segment);
        Ok::<_, StoreError>(())
    };
    desk.store.each_segment(keep).unwrap();
    words.retain(|segment| segment.replica == Replica::HQ);
    words
}

fn hear_again(desk: &mut Desk, words: &[Segment]) {
    let came = Came { received_ms: RECEIVED_MS, skew_ms: None };
    for segment in words {
        assert!(desk.transact(|desk| desk.take_carried(segment, came)).unwrap());
    }
}

#[test]
fn a_device_reported_lost_after_the_backup_is_lost_again_once_headquarters_own_log_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, mut desk) = staffed(folder.path());
    let replica = enrolled(&mut desk);
    data.back_up(&folder.path().join("backup")).unwrap();
    let mut device = desk.store.device(replica).unwrap().unwrap();
    desk.transact(|desk| desk.stand(&mut device, ("lose", ""), Standing::Lost, RECEIVED_MS)).unwrap();
    let words = words(&desk);

    let mut desk = restored(folder.path());
    let standing = |desk: &Desk| desk.store.device(replica).unwrap().unwrap().standing;
    assert_eq!(standing(&desk), Standing::Enrolled);
    hear_again(&mut desk, &words);
    assert_eq!(standing(&desk), Standing::Lost);
}

#[test]
fn what_a_device_wrote_that_was_named_after_the_backup_waits_until_its_name_is_heard_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, mut desk) = staffed(folder.path());
    data.back_up(&folder.path().join("backup")).unwrap();
    let replica = enrolled(&mut desk);
    let line = (replica, Epoch(1));
    let rows = columns::encode(&rows(), line, &[1, 2, 3]);
    let extract = Extract { replica: line.0, epoch: line.1, parent: None, seqs: vec![1, 2, 3], rows };
    let proof = signed(&desk, &extract, Vec::new()).of_extracts(vec![extract]);
    let words = words(&desk);

    let mut desk = restored(folder.path());
    desk.transact(|desk| desk.hear_extracts(&proof, RECEIVED_MS)).unwrap();
    let id = |seq| OpId { replica: line.0, epoch: line.1, seq };
    assert_eq!(desk.row(id(1)).unwrap(), None);
    hear_again(&mut desk, &words);
    for seq in 1..=3 {
        assert!(desk.row(id(seq)).unwrap().is_some(), "{seq}");
        assert!(desk.judged(id(seq)).unwrap().unwrap().judgement.is_some());
    }
}

#[test]
fn what_a_second_key_wrote_in_the_first_one_s_epoch_waits_whichever_way_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(&folder.path().join("hq"));
    data.init("http://127.0.0.1:7400").unwrap();
    let mut desk = data.open(false).unwrap();
    let second = Signer::from_seed(&[9; 32]).unwrap();
    let key = Some(device().public());
    desk.store.device_put(&Device { key, ..Device::named(LINE.0, 3, (0, 0)) }).unwrap();
    desk.store.key_add(LINE.0, second.public()).unwrap();
    desk.store.key_confirm(LINE.0, second.public()).unwrap();
    let came = Came { received_ms: RECEIVED_MS, skew_ms: None };
    let first = segment();
    assert!(desk.transact(|desk| desk.take_carried(&first, came)).unwrap());
    let held = |desk: &Desk| desk.store.line(3, LINE).unwrap().unwrap().last;
    assert_eq!(held(&desk), 3, "its own key's");
    let rows = rows();
    let goes_on = |signer: &Signer| {
        let before = first.link;
        let run = Run { line: LINE, first: 4, before, parent: None, test_clock: false, rows: &rows[..1] };
        cut(signer, &run).unwrap().remove(0)
    };
    let strange = goes_on(&second);
    assert!(desk.transact(|desk| desk.take_carried(&strange, came)).unwrap());
    assert_eq!((held(&desk), desk.store.held_back(LINE.0).unwrap().len()), (3, 1));
    desk.store.hold_back(3, &goes_on(&second), super::Why::Newer, came).unwrap();
    desk.transact(Desk::read_again).unwrap();
    assert_eq!(held(&desk), 3, "nor after an upgrade");
    let own = goes_on(&device());
    assert!(desk.transact(|desk| desk.take_carried(&own, came)).unwrap());
    assert_eq!(held(&desk), 4);
}

fn certificate(key: PublicKey) -> Certificate {
    let doc = |seq| records::id::DocId(OpId { replica: Replica::HQ, epoch: Epoch(1), seq });
    Certificate {
        replica: LINE.0,
        key,
        staff: doc(2),
        roles: Vec::new(),
        branch: 3,
        unit: doc(1),
        valid_until_ms: RECEIVED_MS,
    }
}

/// The restored headquarters knew the device and not its key; somebody revoked it before it came. What proved whose key
/// it is was passed over as all that a revoked device asks, so it got a status 401 for good: it never heard that it was
/// revoked, and what it had written never got to the person who decides about it.
#[test]
fn a_revoked_device_says_whose_key_it_is_and_stays_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(&folder.path().join("hq"));
    data.init("http://127.0.0.1:7400").unwrap();
    let desk = data.open(false).unwrap();
    desk.store.device_put(&Device::named(LINE.0, 3, (0, 0))).unwrap();
    data.back_up(&folder.path().join("backup")).unwrap();
    let key = device().public();
    let vouched = Vouched::sign(&desk.signer, certificate(key));
    let mut desk = restored(folder.path());
    let revoked = Device { standing: Standing::Revoked, ..Device::named(LINE.0, 3, (0, 0)) };
    desk.store.device_put(&revoked).unwrap();
    let asks = vec![Ask::Vouched(vouched), Ask::Reread(vec![certificate(key).staff])];
    assert_eq!(desk.transact(|desk| desk.hear(&revoked, asks, RECEIVED_MS)).unwrap(), []);
    let known = desk.store.device(LINE.0).unwrap().unwrap();
    assert_eq!((known.key, known.standing), (Some(key), Standing::Revoked));
}

/// The code was issued before the backup, and the device's first contact came after it.
#[test]
fn a_device_that_a_restored_headquarters_forgot_is_known_again_by_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(&folder.path().join("hq"));
    data.init("http://127.0.0.1:7400").unwrap();
    let mut desk = data.open(false).unwrap();
    desk.store.device_put(&Device::named(LINE.0, 3, (0, 0))).unwrap();
    data.back_up(&folder.path().join("backup")).unwrap();
    let key = device().public();
    let vouched = Vouched::sign(&desk.signer, certificate(key));
    desk.transact(|desk| desk.hear_vouched(&vouched, RECEIVED_MS)).unwrap();
    let known = |desk: &Desk| desk.store.device(LINE.0).unwrap().unwrap();
    assert_eq!(known(&desk).key, None, "it forgot nothing");
    let mut desk = restored(folder.path());
    let forged = Vouched::sign(&device(), certificate(key));
    desk.transact(|desk| desk.hear_vouched(&forged, RECEIVED_MS)).unwrap();
    assert_eq!(known(&desk).key, None, "nobody vouches for himself");
    desk.transact(|desk| desk.hear_vouched(&vouched, RECEIVED_MS)).unwrap();
    assert_eq!((known(&desk).key, known(&desk).standing), (Some(key), Standing::Enrolled));
    // The answer to its first contact was lost, so it shows its code again, of which this history has no secret.
    let again = Enrol { key, proof: [0; 32], scanned_ms: RECEIVED_MS, name: String::new() };
    assert_eq!(desk.bind(LINE.0, &again, RECEIVED_MS).unwrap(), Bound::Yes);
    let other = Signer::from_seed(&[9; 32]).unwrap().public();
    assert_eq!(desk.bind(LINE.0, &Enrol { key: other, ..again }, RECEIVED_MS).unwrap(), Bound::Refused);
    // Another one that HQ vouched for, as in another history: a person decides.
    let vouched = Vouched::sign(&desk.signer, certificate(other));
    desk.transact(|desk| desk.hear_vouched(&vouched, RECEIVED_MS)).unwrap();
    assert_eq!((known(&desk).key, desk.keys_waiting(LINE.0).unwrap()), (Some(key), vec![other]));
}
