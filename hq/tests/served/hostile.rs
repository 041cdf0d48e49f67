//! Cut, flipped, forged, oversized: nothing of it is used, and what was complete stays.

use fieldbook_hq::store::devices::Standing;
use records::kinds::repair;
use records::value::{Value, payload::encode_rows};
use sync_protocol::asides::{Ask, Chunk, FileWant, Piece, Tell};
use sync_protocol::bundle::Relayed;
use sync_protocol::chain::Link;
use sync_protocol::conversation::{Request, write_request};
use sync_protocol::limits::{BODY_BYTES_MAX, CHUNK_BYTES, RELAY_BYTES_MAX};
use sync_protocol::message::Notice;
use sync_protocol::op::Write;
use sync_protocol::parcel::seal;
use sync_protocol::reason;
use sync_protocol::segment::{Body, Segment};
use sync_protocol::sign::PublicKey;

use crate::Hq;
use crate::device::{Device, NOW_MS, post, post_claiming};

#[test]
fn a_cut_request_keeps_every_complete_segment() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("warm up");
    device.sync(hq.address, 0);
    for at in 0..1_000 {
        // Digits that deflate cannot shorten much, so that segments leave the encoder one after the other.
        let noise = sync_protocol::chain::sha256(&[&u32::to_le_bytes(at)]);
        device.sheet(&noise.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    let body = write_request(&device.request(1), &device.signer);
    let (status, _) = post_claiming(hq.address, body.len() as u64, &body[..body.len() * 3 / 4]);
    assert_ne!(status, 200);
    let held = hq.holds(&device);
    assert!((257..1_001).contains(&held), "{held}");
    let held = usize::try_from(held).unwrap();
    assert_eq!(device.sync(hq.address, held).ack.held[0].up_to, 1_001);
}

#[test]
fn no_flipped_bit_is_used() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    device.sheet("pump");
    let body = write_request(&device.request(0), &device.signer);
    for at in 0..body.len() {
        let mut flipped = body.clone();
        flipped[at] ^= 1 << (at % 8);
        let (status, _) = post(hq.address, &flipped);
        assert!([400, 401, 403, 413].contains(&status), "byte {at}: {status}");
    }
    assert_eq!(device.sync(hq.address, 0).ack.held[0].up_to, 1);
}

#[test]
fn a_signed_segment_is_kept_whatever_the_request_around_it_is() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    device.sheet("pump");
    let request = device.request(0);
    let body = write_request(&request, &Device::scan(&device.enrolment.to_code(), 9).signer);
    assert_eq!(post(hq.address, &body).0, 401);
    assert_eq!(hq.holds(&device), 1);
}

#[test]
fn an_answer_that_cannot_be_made_takes_nobodys_work_with_it() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    hq.import("staff", "code,name,unit,roles\nE9,Wu,C1,engineer\n");
    hq.damage("feed", "entry");
    device.sheet("pump");
    assert_eq!(post(hq.address, &write_request(&device.request(0), &device.signer)).0, 503);
    assert_eq!(hq.holds(&device), 1);
}

#[test]
fn another_keys_signature_opens_nothing() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("pump");
    device.sync(hq.address, 0);
    let mut thief = Device::scan(&device.enrolment.to_code(), 9);
    thief.greeted = true;
    let body = write_request(&thief.request(0), &thief.signer);
    assert_eq!(post(hq.address, &body).0, 401);
}

#[test]
fn a_wrong_proof_and_a_small_order_key_are_refused() {
    let hq = Hq::start();
    let device = Device::scan(&hq.code("E1"), 1);
    let mut request = device.request(0);
    request.enrol.as_mut().unwrap().proof[0] ^= 1;
    assert_eq!(post(hq.address, &write_request(&request, &device.signer)).0, 403);
    let mut request = device.request(0);
    let weak = PublicKey([0; 32]);
    let proof = sync_protocol::enrolment::proof(&device.enrolment.secret, device.enrolment.replica, &weak);
    let enrol = request.enrol.as_mut().unwrap();
    (enrol.key, enrol.proof) = (weak, proof);
    assert_eq!(post(hq.address, &write_request(&request, &device.signer)).0, 403);
}

#[test]
fn a_second_key_waits_for_a_person_and_then_counts() {
    let hq = Hq::start();
    let code = hq.code("E1");
    let mut first = Device::scan(&code, 1);
    first.sheet("pump");
    first.sync(hq.address, 0);
    let mut second = Device::scan(&code, 2);
    second.sheet("also a pump");
    let answer = second.sync(hq.address, 0);
    assert_eq!(answer.notices, [Notice::Unconfirmed]);
    assert!(answer.items.is_empty() && answer.ack.held.is_empty());
    let replica = second.enrolment.replica;
    let mut desk = hq.desk();
    assert_eq!(desk.transact(|desk| desk.confirm(replica, None, NOW_MS)).unwrap(), 1);
    let answer = second.sync(hq.address, 0);
    assert_eq!(answer.ack.held[0].up_to, 1);
    assert!(!answer.items.is_empty());
}

#[test]
fn lengths_beyond_the_limits_are_refused_before_anything_is_read() {
    let hq = Hq::start();
    assert_eq!(post_claiming(hq.address, 1 << 30, b"").0, 413);
    assert_eq!(post(hq.address, b"").0, 400);
    assert_eq!(post(hq.address, &[0; 100]).0, 400);
}

#[test]
fn another_history_under_the_same_name_is_a_fork_and_overwrites_nothing() {
    let hq = Hq::start();
    let code = hq.code("E1");
    let mut device = Device::scan(&code, 1);
    let mut image = Device::scan(&code, 1);
    for device in [&mut device, &mut image] {
        device.sheet("shared");
    }
    device.sheet("mine");
    let kept = device.sync(hq.address, 0).ack.held;
    image.sheet("the image's");
    image.sheet("and more");
    let answer = image.sync(hq.address, 0);
    let fork = |notice: &Notice| matches!(notice, Notice::Fork { common: 1, .. });
    assert!(answer.notices.iter().any(fork), "{:?}", answer.notices);
    assert_eq!(answer.ack.held, kept);
}

#[test]
fn a_revoked_devices_work_waits_for_a_person_and_nothing_goes_back() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    let replica = device.enrolment.replica;
    let mut desk = hq.desk();
    let mut known = desk.store.device(replica).unwrap().unwrap();
    desk.transact(|desk| desk.stand(&mut known, ("revoke", ""), Standing::Revoked, NOW_MS)).unwrap();
    device.sheet("written before");
    let answer = device.sync(hq.address, 0);
    assert_eq!(answer.notices, [Notice::Revoked]);
    assert!(answer.items.is_empty() && answer.rulings.is_empty());
    assert_eq!(desk.store.held_back(replica).unwrap().len(), 1);
    assert_eq!(desk.transact(|desk| desk.confirm(replica, None, NOW_MS)).unwrap(), 1);
}

#[test]
fn a_code_revoked_before_it_was_used_still_gives_up_the_work_written_with_it() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    let replica = device.enrolment.replica;
    let mut desk = hq.desk();
    let mut known = desk.store.device(replica).unwrap().unwrap();
    desk.transact(|desk| desk.stand(&mut known, ("revoke", ""), Standing::Revoked, NOW_MS)).unwrap();
    device.sheet("written with it");
    let answer = device.sync(hq.address, 0);
    assert_eq!(answer.notices, [Notice::Revoked]);
    assert_eq!(desk.store.held_back(replica).unwrap().len(), 1);
}

#[test]
fn what_cannot_be_taken_in_when_a_person_confirms_goes_on_waiting() {
    let hq = Hq::start();
    let code = hq.code("E1");
    let mut first = Device::scan(&code, 1);
    first.sheet("mine");
    first.sync(hq.address, 0);
    // A second installation from the same code, which happened on the same epoch.
    let mut second = Device::scan(&code, 2);
    second.epoch = first.epoch;
    second.sheet("other work");
    second.sync(hq.address, 0);
    let replica = first.enrolment.replica;
    let mut desk = hq.desk();
    assert_eq!(desk.transact(|desk| desk.confirm(replica, None, NOW_MS)).unwrap(), 0);
    assert_eq!(desk.store.held_back(replica).unwrap().len(), 1);
}

#[test]
fn a_segment_coded_by_a_newer_version_is_kept_as_it_came() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    device.sheet("pump");
    let rows = &device.rows;
    let line = (device.enrolment.replica, device.epoch);
    let body = Body { parent: None, test_clock: false, rows: vec![0xee] };
    let newer = Segment::sign(&device.signer, line, 1, Link::ROOT, &body, rows).unwrap();
    let mut request = device.request(0);
    request.segments = vec![newer.clone()];
    let body = write_request(&request, &device.signer);
    let (status, answer) = post(hq.address, &body);
    assert_eq!(status, 200);
    let answer = device.take(&body, &answer);
    assert_eq!(answer.notices, [Notice::Refused(reason::NEWER)]);
    let kept = hq.desk().store.held_back(line.0).unwrap();
    assert_eq!(kept.into_iter().map(|(_, segment, _)| segment).collect::<Vec<_>>(), [newer]);
}

/// Bytes that deflate cannot shorten.
fn noise(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(|at| sync_protocol::chain::sha256(&[&at.to_le_bytes()])).take(length).collect()
}

/// Says something beside the log and returns what HQ says beside.
fn ask(hq: &Hq, device: &mut Device, asks: Vec<Ask>) -> Vec<Tell> {
    let request = Request { asks, ..device.request(device.rows.len()) };
    let body = write_request(&request, &device.signer);
    let (status, answer) = post(hq.address, &body);
    assert_eq!(status, 200);
    device.take(&body, &answer).tells
}

/// A device whose sheet names a photo of eight pieces that HQ holds, and what asks for all of them.
fn photographer(hq: &Hq) -> (Device, Ask) {
    let mut device = Device::scan(&hq.code("E1"), 1);
    let bytes = noise(8 * CHUNK_BYTES);
    let hash = sync_protocol::chain::sha256(&[&bytes]);
    let group = repair::REPAIR.groups.iter().find(|group| group.name == "photo").unwrap();
    let mut row = vec![None; group.fields.len()];
    row[0] = Some(Value::File(hash.to_vec()));
    let photo = Write { tag: group.tag(), bytes: encode_rows(group.fields, &[row]) };
    let doc = device.sheet("pump");
    device.write(repair::REPAIR.number, Some(doc), Vec::new(), vec![photo]);
    device.sync(hq.address, 0);
    let total = bytes.len() as u64;
    let pieces = (0_u32..).zip(bytes.chunks(CHUNK_BYTES));
    let chunk = |(index, bytes): (u32, &[u8])| {
        Ask::Chunk(Chunk::sign(&device.signer, Piece { hash, total, index, bytes: bytes.to_vec() }))
    };
    let chunks = pieces.map(chunk).collect();
    ask(hq, &mut device, chunks);
    assert_eq!(hq.desk().files.length(&hash), Some(total));
    (device, Ask::Want(vec![FileWant { doc, hash, from: 0, count: 8 }]))
}

#[test]
fn however_often_files_are_asked_for_an_answer_brings_a_megabyte_of_them() {
    let hq = Hq::start();
    let (mut device, want) = photographer(&hq);
    let tells = ask(&hq, &mut device, vec![want; 5]);
    assert_eq!(tells.iter().filter(|tell| matches!(tell, Tell::Piece(_))).count(), 8);
}

#[test]
fn what_is_carried_for_others_leaves_room_for_the_carriers_own_answer() {
    let hq = Hq::start();
    let (device, want) = photographer(&hq);
    let mut carrier = Device::scan(&hq.code("E2"), 2);
    let request = Request { asks: vec![want], ..device.request(device.rows.len()) };
    let body = write_request(&request, &device.signer);
    let sealed = seal(&body, &[device.enrolment.hq_key], &[3; 64]).unwrap();
    let tells = ask(&hq, &mut carrier, vec![Ask::Relay(sealed); 6]);
    assert!(tells.iter().map(Tell::length).sum::<usize>() < BODY_BYTES_MAX, "{}", tells.len());
    assert!(!tells.is_empty());
}

#[test]
fn a_carried_request_is_answered_in_what_a_colleague_can_carry_back() {
    let hq = Hq::start();
    let mut writer = Device::scan(&hq.code("E1"), 1);
    for hash in noise(900 * 500).chunks(900) {
        writer.sheet(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    writer.sync(hq.address, 0);
    let mut reader = Device::scan(&hq.code("S1"), 2);
    let mut carrier = Device::scan(&hq.code("E2"), 3);
    let body = write_request(&reader.request(0), &reader.signer);
    let sealed = seal(&body, &[reader.enrolment.hq_key], &[3; 64]).unwrap();
    let tells = ask(&hq, &mut carrier, vec![Ask::Relay(sealed)]);
    // His first contact: he is vouched for as well.
    let [Tell::Relayed(told), Tell::Vouched(_)] = tells.as_slice() else { panic!("{} tells", tells.len()) };
    let answer = Relayed::from_bytes(told).unwrap().answer.unwrap();
    assert!((RELAY_BYTES_MAX / 4..RELAY_BYTES_MAX * 2).contains(&answer.len()), "{}", answer.len());
    assert!(reader.sync(hq.address, 0).items.len() > 1);
}

#[test]
fn a_file_that_is_not_what_was_asked_for_ends_no_asking() {
    let hq = Hq::start();
    let mut owner = Device::scan(&hq.code("E1"), 1);
    owner.sync(hq.address, 0);
    let hash = sync_protocol::chain::sha256(&[b"meter"]);
    let replica = owner.enrolment.replica;
    let mut desk = hq.desk();
    let branch = desk.store.branch_of(replica).unwrap().unwrap();
    desk.transact(|desk| desk.store.file_ask(branch, replica, &hash)).unwrap();
    let mut other = Device::scan(&hq.code("E2"), 2);
    let piece = |bytes: &[u8]| Piece { hash, total: 5, index: 0, bytes: bytes.to_vec() };
    let lie = Ask::Chunk(Chunk::sign(&other.signer, piece(b"Meter")));
    ask(&hq, &mut other, vec![lie]);
    let wanted = Tell::Wanted(vec![hash]);
    assert_eq!(ask(&hq, &mut owner, Vec::new()), [wanted]);
    let truth = Ask::Chunk(Chunk::sign(&owner.signer, piece(b"meter")));
    let tells = ask(&hq, &mut owner, vec![truth]);
    assert!(tells.iter().all(|tell| matches!(tell, Tell::Held(_))), "{tells:?}");
}
