//! A bundle with requests in it that nobody can use: the others are taken in, and the receipt says so.

use records::id::{Epoch, Replica};
use records::kinds::number;
use sync_protocol::chain::Link;
use sync_protocol::conversation::{self, read_answer, write_request};
use sync_protocol::message::{Clocks, Hello, VERSIONS};
use sync_protocol::op::Row;
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;
use sync_protocol::tables::Tables;

use super::*;
use crate::clock::Clock;
use crate::data::Data;
use crate::store::devices::Device;
use crate::writer::Writer as Desks;

const REPLICA: Replica = Replica(7);
const NOW_MS: u64 = 1_795_300_000_000;

fn device() -> Signer {
    Signer::from_seed(&[7; 32]).unwrap()
}

fn office(folder: &Path) -> Office {
    let data = Data::at(folder);
    data.init("http://127.0.0.1:7400").unwrap();
    let desk = data.open(false).unwrap();
    let key = Some(device().public());
    desk.store.device_put(&Device { key, ..Device::named(REPLICA, 3, (0, 0)) }).unwrap();
    let signer = std::sync::Arc::clone(&desk.signer);
    let writer = Desks::start(desk, |_| {}).unwrap();
    let porter = std::sync::Arc::default();
    Office { writer, signer, clock: Clock::set(NOW_MS, false), files: data.files(), porter }
}

/// A creation in an epoch of its own.
fn segment(epoch: u32) -> Segment {
    let row = Row {
        kind: number::REPAIR,
        schema: 1,
        doc: None,
        stamp: Stamp { ms: NOW_MS, counter: 0 },
        seen: Vec::new(),
        forked_from: None,
        writes: Vec::new(),
    };
    let line = (REPLICA, Epoch(epoch));
    let run = Run { line, first: 1, before: Link::ROOT, parent: None, test_clock: false, rows: &[row] };
    cut(&device(), &run).unwrap().remove(0)
}

fn request(replica: Replica, epoch: u32) -> conversation::Request {
    let hello = Hello {
        versions: VERSIONS,
        schemas: Tables::own().hash(),
        replica,
        lease: [0; 8],
        heads: Vec::new(),
        cursor: Cursor::default(),
        digest: None,
        clocks: Clocks { wall_ms: NOW_MS, monotonic_ms: 1, boot: 1 },
        answer_bytes_max: 1,
    };
    conversation::Request { hello, enrol: None, asks: Vec::new(), segments: vec![segment(epoch)] }
}

fn bundle(path: &Path, parcels: &[(Vec<u8>, PublicKey)]) {
    let header = Header {
        kind: BundleKind::Work,
        id: BundleId([4; 16]),
        author: REPLICA,
        key: device().public(),
        readers: vec![Replica::HQ],
        incarnation: Incarnation(3),
        created_ms: NOW_MS,
        expires_ms: 0,
        answers: None,
        spans: Vec::new(),
    };
    let (mut writer, mut bytes) = Writer::begin(&header);
    for (body, reader) in parcels {
        bytes.extend(writer.parcel(For::Hq, &seal(body, &[*reader], &[9; 64]).unwrap()));
    }
    bytes.extend(writer.end(&device()));
    std::fs::write(path, bytes).unwrap();
}

/// What each answer in a receipt says beside its word on ops.
fn notices(receipt: &Path, office: &Office) -> Vec<Vec<Notice>> {
    let mut all = Vec::new();
    walk(receipt, &mut |part| {
        let Part::Parcel(For::Reader, sealed) = part else { return Ok(()) };
        let answered = Answered::from_bytes(&device().opener().open(&sealed).unwrap()).unwrap();
        assert!(answered.was_asked_by(&device().public()), "its device takes it");
        let read = read_answer(&answered.answer, answered.request, &office.signer.public());
        all.push(read.unwrap().0.notices);
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn a_request_that_nobody_can_use_holds_up_no_other_and_the_receipt_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let office = office(&folder.path().join("hq"));
    let (file, receipt) = (folder.path().join("work"), folder.path().join("receipt"));
    let hq = office.signer.public();
    let stranger = Signer::from_seed(&[8; 32]).unwrap();
    let parcels = [
        (write_request(&request(REPLICA, 1), &device()), hq),
        (write_request(&request(REPLICA, 2), &stranger), hq),
        (write_request(&request(Replica(8), 2), &device()), hq),
        (b"nonsense".to_vec(), hq),
        (write_request(&request(REPLICA, 3), &device()), stranger.public()),
        (write_request(&request(REPLICA, 4), &device()), hq),
    ];
    bundle(&file, &parcels);
    let taken = read(&office, &file, &receipt).unwrap();
    // The second one's ops are signed by the device itself: only what stands around them is not.
    assert_eq!((taken.requests, taken.new_ops), (6, 2));
    let (stranger, malformed, sealed) = (Refusal::Stranger, Refusal::Malformed, Refusal::Sealed);
    assert_eq!(taken.refused, [stranger, stranger, malformed, sealed]);
    let refused = vec![Notice::Refused(reason::SIGNATURE)];
    assert_eq!(notices(&receipt, &office)[1], refused);
    let held = office.writer.run(|desk| desk.store.lines(3, REPLICA)).unwrap().unwrap();
    assert_eq!(held.iter().map(|(epoch, _)| epoch.0).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn a_bundle_of_which_nothing_opens_is_for_another_headquarters() {
    let folder = tempfile::tempdir().unwrap();
    let office = office(&folder.path().join("hq"));
    let (file, receipt) = (folder.path().join("work"), folder.path().join("receipt"));
    bundle(&file, &[(write_request(&request(REPLICA, 1), &device()), device().public())]);
    assert!(matches!(read(&office, &file, &receipt), Err(BundleFault::Parcel(_))));
    assert!(!receipt.exists());
}
