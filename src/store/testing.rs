//! Homes and ops for the tests of these rooms.

use records::id::{DocId, Epoch, OpId, Replica};
use records::schema::{Class, Tag};
use records::time::{Ts, Zone};
use sync_protocol::conversation::Answer;
use sync_protocol::cursor::{Cursor, Feed, Incarnation};
use sync_protocol::enrolment::Enrolment;
use sync_protocol::message::{Compared, Held, Item, PageEnd, PushAck};
use sync_protocol::op::Write;
use sync_protocol::proof::AnswerProof;
use sync_protocol::ruling::Ruling;
use sync_protocol::segment::Segment;
use sync_protocol::sign::{Signature, Signer};

use crate::clock::Now;
use crate::store::Store;
use crate::store::offer::first_8;
use crate::store::write::{NewOp, On};

pub(crate) const NOW: Now = Now { wall: Ts(1_790_000_000_000), monotonic_ms: 5, boot: 7, test_clock: false };
/// A kind that no table knows: the store does not care.
pub(crate) const KIND: u16 = 999;

pub(crate) fn hq() -> Signer {
    Signer::from_seed(&[1; 32]).unwrap()
}

pub(crate) fn enrolment() -> Enrolment {
    let id = |seq| DocId(OpId { replica: Replica::HQ, epoch: Epoch(1), seq });
    Enrolment {
        address: "http://127.0.0.1:7400".into(),
        hq_key: hq().public(),
        tls_pin: None,
        incarnation: Incarnation(3),
        replica: Replica(41),
        secret: [7; 16],
        issued_ms: 0,
        expires_ms: 1,
        company: "C".into(),
        center_code: "A1".into(),
        staff: id(2),
        staff_code: "S1".into(),
        staff_name: "N".into(),
        unit: id(1),
        unit_name: "U".into(),
        roles: Vec::new(),
        zone: Zone::SHANGHAI,
        sheet_block: (1, 999),
        claim_lease: None,
    }
}

pub(crate) fn home() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
    (dir, store)
}

/// A home of another device.
pub(crate) fn other() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), &Enrolment { replica: Replica(42), ..enrolment() }, NOW).unwrap();
    (dir, store)
}

/// What HQ would say: holds these segments, rules on them, and gives `items` out.
pub(crate) fn answer(
    held: &[Segment],
    items: Vec<Item>,
    rulings: Vec<Ruling>,
    at: u64,
) -> (Answer, AnswerProof) {
    let receipt = |segment: &Segment| Held {
        epoch: segment.epoch,
        up_to: segment.last(),
        link: first_8(segment.link),
        count: segment.last(),
        backed_up_to: 0,
    };
    let ack = PushAck {
        incarnation: Incarnation(3),
        lease: [u8::try_from(at).unwrap(); 8],
        held: held.last().map(receipt).into_iter().collect(),
        rulings: Vec::new(),
        digest: Compared::Not,
    };
    let next = Cursor { incarnation: Incarnation(3), positions: vec![(Feed::Company, at)] };
    let end = PageEnd { next, more: false };
    let proof =
        AnswerProof { rulings: vec![1], leaves: Vec::new(), context: [0; 64], signature: Signature([2; 64]) };
    (Answer { ack, notices: Vec::new(), certificate: None, tells: Vec::new(), items, rulings, end }, proof)
}

/// Loses the journal's twin: what follows is of two files that are damaged, or of a power cut that took it.
pub(crate) fn lose_twin(home: &std::path::Path) {
    crate::store::twin::Twin::of(&home.join("journal")).let_go();
}

/// Copies a folder with all that is in it, as a person would.
pub(crate) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub(crate) fn create(text: &[u8]) -> NewOp {
    let write = Write { tag: Tag::new(2, Class::Last), bytes: text.to_vec() };
    NewOp { kind: KIND, schema: 1, on: On::Create, writes: vec![write], local: None }
}

pub(crate) fn note(on: On, text: &[u8]) -> NewOp {
    let write = Write { tag: Tag::new(3, Class::Ledger), bytes: text.to_vec() };
    NewOp { kind: KIND, schema: 1, on, writes: vec![write], local: None }
}

/// Lets HQ accept everything that was saved.
pub(crate) fn rule_all(store: &mut Store) {
    for segment in store.unsent(usize::MAX, usize::MAX).unwrap() {
        let ruling = sync_protocol::ruling::Ruling {
            replica: segment.replica,
            epoch: segment.epoch,
            first: segment.first,
            count: segment.count,
            order: segment.first,
            cap_ms: u64::MAX >> 16,
            version: 1,
            exceptions: Vec::new(),
        };
        let mut work = store.work();
        work.rule(store, &ruling).unwrap();
        store.commit(work).unwrap();
    }
}
