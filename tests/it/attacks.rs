//! What somebody may try at the port where devices sync; each attempt beside the same thing done honestly.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use records::id::{DocId, OpId, Replica};
use records::kinds::repair::REPAIR;
use records::kinds::staff::Role;
use records::value::{Value, payload::encode_rows};
use serde_json::Value as Json;
use sync_protocol::asides::{Ask, Chunk, FileWant, Piece, Tell};
use sync_protocol::chain::sha256;
use sync_protocol::conversation::{Answer, RequestHash, read_answer, write_request};
use sync_protocol::cursor::{Cursor, Feed};
use sync_protocol::limits::{BODY_BYTES_MAX, CHUNK_BYTES};
use sync_protocol::message::{Item, Notice};
use sync_protocol::op::Write as GroupWrite;
use sync_protocol::reason;
use sync_protocol::ruling::Verdict;
use sync_protocol::sign::Signer;

use crate::company::{Company, LI, SUN, WANG};
use crate::handmade::{Device, post, post_claiming, step};
use crate::world::Hq;

/// Where the clocks of devices made by hand stand.
const NOW: &str = "2026-11-22T06:26:40+08:00";

struct Town {
    company: Company,
    hq: SocketAddr,
}

impl Town {
    fn found() -> Self {
        let company = Company::found_with(Hq::init_at(Some(NOW)));
        let hq = company.hq.listens_at();
        Self { company, hq }
    }

    fn device(&self, staff: &str, seed: u8) -> Device {
        let mut device = Device::scan(&self.company.hq.device_code(staff, &self.company.hq.url()), seed);
        device.sync(self.hq, 0);
        device
    }

    /// How many ops and documents headquarters holds.
    fn holds(&self) -> (Json, Json) {
        let found = self.company.doctor();
        (found["ops"].clone(), found["documents"].clone())
    }

    fn listed(&self, device: &Device) -> Json {
        let listed = self.company.hq.run(["--json", "device", "list"]).ended(0).json();
        let replica = Json::from(device.enrolment.replica.0);
        let found = listed.as_array().unwrap().iter().find(|listed| listed["replica"] == replica);
        found.unwrap().clone()
    }
}

fn said(device: &mut Device, hq: SocketAddr, asks: Vec<Ask>) -> Answer {
    let mut request = device.request(device.rows.len());
    request.asks = asks;
    let body = write_request(&request, &device.signer);
    let (status, answer) = post(hq, &body);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    device.take(&body, &answer)
}

fn refusals(answer: &Answer) -> Vec<u16> {
    let code = |verdict: &Verdict| match verdict {
        Verdict::Quarantined { code, .. } => Some(*code),
        _ => None,
    };
    answer
        .ack
        .rulings
        .iter()
        .flat_map(|ruling| ruling.exceptions.iter())
        .filter_map(|(_, verdict)| code(verdict))
        .collect()
}

#[test]
fn a_forged_signature_is_not_heard() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    li.sheet("pump");
    let before = town.holds();
    let mut body = write_request(&li.request(0), &li.signer);
    let last = body.len() - 1;
    body[last] ^= 1;
    assert_eq!(post(town.hq, &body).0, 401);
    // The segments in it prove themselves and are kept; the forged one adds nothing that the device did not write.
    let forger = Signer::from_seed(&[99; 32]).unwrap();
    let mut forged = li.request(0);
    for segment in &mut forged.segments {
        segment.signature.0[0] ^= 1;
    }
    let (status, answer) = post(town.hq, &write_request(&forged, &li.signer));
    assert_eq!(status, 200);
    let _ = answer;
    assert_eq!(post(town.hq, &write_request(&li.request(0), &forger)).0, 401);
    // Control: the same, signed as it is to be.
    let answer = li.sync(town.hq, 0);
    assert_eq!(answer.ack.held[0].up_to, 1);
    assert_ne!(town.holds(), before);
}

#[test]
fn a_request_played_again_changes_nothing_and_its_answer_answers_nothing_else() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    li.sheet("pump");
    let body = write_request(&li.request(0), &li.signer);
    let (_, answer) = post(town.hq, &body);
    li.take(&body, &answer);
    let (before, listed) = (town.holds(), town.listed(&li));
    for _ in 0..3 {
        let (status, replayed) = post(town.hq, &body);
        assert_eq!(status, 200);
        // What comes back is bound to the old request: the device takes it for no answer to its next one.
        let next = write_request(&li.request(1), &li.signer);
        assert!(read_answer(&replayed, RequestHash::of(&next), &li.enrolment.hq_key).is_err());
    }
    assert_eq!(town.holds(), before);
    assert_eq!(town.listed(&li)["last_seen"], listed["last_seen"], "nobody was heard of");
    // Control: the device goes on, nobody takes it for a copy of itself, and nothing is given back to it.
    for sheet in ["valve", "motor"] {
        let from = li.rows.len();
        li.sheet(sheet);
        let answer = li.sync(town.hq, from);
        assert_eq!(answer.notices, [], "{sheet}");
    }
    assert_eq!(town.listed(&li)["copied"], false);
}

#[test]
fn another_devices_key_signs_for_nobody_else() {
    let town = Town::found();
    let (mut li, mut sun) = (town.device(LI, 1), town.device(SUN, 2));
    li.sheet("mine");
    sun.sheet("his");
    let before = town.holds();
    // Sun's request in Li's name, and Li's log in Sun's own request.
    assert_eq!(post(town.hq, &write_request(&li.request(1), &sun.signer)).0, 401);
    let mut request = sun.request(1);
    let mut stolen = li.segments(0);
    for segment in &mut stolen {
        segment.replica = sun.enrolment.replica;
    }
    request.segments = stolen;
    let body = write_request(&request, &sun.signer);
    let (status, answer) = post(town.hq, &body);
    assert_eq!(status, 200);
    let answer = sun.take(&body, &answer);
    assert_eq!(answer.notices, [Notice::Refused(reason::SIGNATURE)]);
    assert_eq!(town.holds(), before);
    // Control.
    assert_eq!(li.sync(town.hq, 0).ack.held[0].up_to, 1);
    assert_eq!(sun.sync(town.hq, 0).ack.held[0].up_to, 1);
}

#[test]
fn a_step_that_needs_another_role_is_refused_kept_and_shown() {
    let town = Town::found();
    let (mut li, mut wang) = (town.device(LI, 1), town.device(WANG, 2));
    let doc = li.sheet("pump");
    let seal = li.write(REPAIR.number, Some(doc), vec![], vec![step("seal", Role::ENGINEER, "")]);
    // He says himself that he is a supervisor.
    li.write(REPAIR.number, Some(doc), vec![], vec![step("accept", Role::SUPERVISOR, "")]);
    let answer = li.sync(town.hq, 0);
    assert_eq!(refusals(&answer), [reason::ROLE]);
    // HQ's part is nobody's but its own: neither its groups nor its name.
    let mut other = li.request(2);
    other.hello.replica = Replica::HQ;
    assert_eq!(post(town.hq, &write_request(&other, &li.signer)).0, 403);
    let history = town.company.hq.run(["--json", "history", &doc.to_string()]).ended(0).json();
    assert_eq!(history[2]["verdict"], "quarantined", "{history}");
    let shown = town.company.hq.run(["--json", "show", &doc.to_string()]).ended(0).json();
    assert_eq!(shown["state"], "sealed", "{shown}");
    // Control: the supervisor's same step stands.
    wang.sync(town.hq, 0);
    wang.write(REPAIR.number, Some(doc), vec![seal], vec![step("accept", Role::SUPERVISOR, "")]);
    assert_eq!(refusals(&wang.sync(town.hq, 0)), [] as [u16; 0]);
    let shown = town.company.hq.run(["--json", "show", &doc.to_string()]).ended(0).json();
    assert_eq!(shown["state"], "accepted", "{shown}");
}

/// A photo in a sheet of the device, whole at headquarters.
fn photo(town: &Town, device: &mut Device) -> (DocId, [u8; 32]) {
    let bytes = vec![7; 1_000];
    let hash = sha256(&[&bytes]);
    let group = REPAIR.groups.iter().find(|group| group.name == "photo").unwrap();
    let mut row = vec![None; group.fields.len()];
    row[0] = Some(Value::File(hash.to_vec()));
    let photo = GroupWrite { tag: group.tag(), bytes: encode_rows(group.fields, &[row]) };
    let doc = device.sheet("pump");
    device.write(REPAIR.number, Some(doc), Vec::new(), vec![photo]);
    device.sync(town.hq, 0);
    let piece = Piece { hash, total: 1_000, index: 0, bytes };
    let chunk = Ask::Chunk(Chunk::sign(&device.signer, piece));
    said(device, town.hq, vec![chunk]);
    (doc, hash)
}

fn got(answer: &Answer) -> usize {
    answer.tells.iter().filter(|tell| matches!(tell, Tell::Piece(_))).count()
}

#[test]
fn what_is_outside_of_ones_scope_is_answered_as_if_it_were_not_there() {
    let town = Town::found();
    let (mut li, mut sun) = (town.device(LI, 1), town.device(SUN, 2));
    let (doc, hash) = photo(&town, &mut li);
    let want = |doc| vec![Ask::Want(vec![FileWant { doc, hash, from: 0, count: 1 }])];
    assert_eq!(got(&said(&mut sun, town.hq, want(doc))), 0);
    // Nor by a document of his own that names the same file by its hash.
    let own = sun.sheet("names it");
    sun.sync(town.hq, 0);
    assert_eq!(got(&said(&mut sun, town.hq, want(own))), 0);
    // Nor the feeds of another branch and another device, nor a document that he asks to read again.
    let feeds =
        [Feed::Company, Feed::Branch(1), Feed::Branch(2), Feed::Replica(li.enrolment.replica.0), Feed::OWN];
    sun.cursor =
        Cursor { incarnation: sun.cursor.incarnation, positions: feeds.map(|feed| (feed, 0)).to_vec() };
    let answer = said(&mut sun, town.hq, vec![Ask::Reread(vec![doc])]);
    assert_eq!(ops_of(&answer, &li), 0, "{:?}", answer.items);
    assert_eq!(ops_of(&said(&mut sun, town.hq, Vec::new()), &li), 0);
    // A write on it is refused.
    let from = sun.rows.len();
    let seen = OpId { seq: 2, ..doc.0 };
    sun.write(REPAIR.number, Some(doc), vec![seen], vec![crate::handmade::text("mine now")]);
    assert_eq!(refusals(&sun.sync(town.hq, from)), [reason::SCOPE]);
    // Control: its author, and the supervisor of the branch.
    assert_eq!(got(&said(&mut li, town.hq, want(doc))), 1);
    let mut wang = town.device(WANG, 3);
    assert_eq!(got(&said(&mut wang, town.hq, want(doc))), 1);
    wang.cursor = Cursor::default();
    assert!(ops_of(&said(&mut wang, town.hq, vec![Ask::Reread(vec![doc])]), &li) > 0);
}

/// How many segments and extracts of a device's log an answer brings; that a document is not there any more is no op.
fn ops_of(answer: &Answer, device: &Device) -> usize {
    let own = |item: &&Item| match item {
        Item::Segment(segment) => segment.replica == device.enrolment.replica,
        Item::Extract(extract) => extract.replica == device.enrolment.replica,
        Item::Evict(_) | Item::Newer { .. } => false,
    };
    answer.items.iter().filter(own).count()
}

#[test]
fn bodies_that_are_too_long_or_blow_up_are_refused_before_they_are_held() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    assert_eq!(post_claiming(town.hq, BODY_BYTES_MAX as u64 + 1, b"").0, 413);
    // Without a length: as many bytes as are sent until the limit.
    let mut stream = TcpStream::connect(town.hq).unwrap();
    stream
        .write_all(
            b"POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
    for _ in 0..128 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let first = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    assert!(first.contains("413") || first.contains("400") || first.is_empty(), "{first}");
    // A bomb: 16 MiB of zeros in some 100 KiB.
    let mut bomb = vec![1];
    let mut deflate = Deflate::new();
    bomb.extend(deflate.zeros(16 * 1024 * 1024));
    bomb.extend([0; 64]);
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert!([400, 413].contains(&post(town.hq, &bomb).0));
    // Control: an honest request that is large and deflates well is taken.
    for _ in 0..2_000 {
        li.sheet("the same words again and again and again");
    }
    let answer = li.sync(town.hq, 0);
    assert_eq!(answer.ack.held[0].up_to, 2_000);
}

/// Stored-less deflate of zeros: fixed codes, one literal and matches of 258 at distance 1.
struct Deflate {
    out: Vec<u8>,
    bits: u32,
    held: u32,
}

impl Deflate {
    fn new() -> Self {
        Self { out: Vec::new(), bits: 0, held: 0 }
    }

    fn put(&mut self, value: u32, count: u32) {
        self.bits |= value << self.held;
        self.held += count;
        while self.held >= 8 {
            self.out.push((self.bits & 0xff) as u8);
            self.bits >>= 8;
            self.held -= 8;
        }
    }

    fn zeros(&mut self, n: usize) -> Vec<u8> {
        // Last block, fixed codes; the literal 0 is 00110000, sent with its highest bit first.
        self.put(1, 1);
        self.put(1, 2);
        self.put(0b0000_1100, 8);
        for _ in 0..n / 258 {
            // Length 258 is code 285: 11000101; distance 1 is code 0 in five bits.
            self.put(0b1010_0011, 8);
            self.put(0, 5);
        }
        self.put(0, 7);
        self.put(0, 8);
        std::mem::take(&mut self.out)
    }
}

#[test]
fn many_slow_connections_keep_nobody_out() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    let slow: Vec<TcpStream> = (0..200)
        .map(|at| {
            let mut stream = TcpStream::connect(town.hq).unwrap();
            let part: &[u8] = if at % 2 == 0 { b"POST /v1/sync HTTP/1.1\r\nHost" } else { b"" };
            stream.write_all(part).unwrap();
            stream
        })
        .collect();
    // Control and attack in one: an honest device is served beside them.
    li.sheet("pump");
    assert_eq!(li.sync(town.hq, 0).ack.held[0].up_to, 1);
    drop(slow);
}

#[test]
fn a_request_that_is_cut_off_leaves_the_next_one_alone() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    li.sheet("pump");
    let body = write_request(&li.request(0), &li.signer);
    for at in [0, 1, body.len() / 2, body.len() - 1] {
        let mut stream = TcpStream::connect(town.hq).unwrap();
        let head = format!("POST /v1/sync HTTP/1.1\r\nHost: hq\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..at]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_eq!(li.sync(town.hq, 0).ack.held[0].up_to, 1);
}

#[test]
fn a_piece_of_a_file_goes_nowhere_but_under_its_hash() {
    let town = Town::found();
    let mut li = town.device(LI, 1);
    // A name for a file is 32 bytes of hash: there is nothing in it to walk up with. What is not what it promises has no name.
    let (_, hash) = photo(&town, &mut li);
    let lie = Piece { hash: [0x2e; 32], total: 5, index: 0, bytes: b"lies!".to_vec() };
    let answer = {
        let chunk = Ask::Chunk(Chunk::sign(&li.signer, lie));
        said(&mut li, town.hq, vec![chunk])
    };
    assert!(format!("{:?}", answer.tells).contains("missing: [(0, 1)]"), "{:?}", answer.tells);
    let mut huge = Piece { hash: [9; 32], total: u64::MAX, index: u32::MAX, bytes: vec![0; CHUNK_BYTES] };
    let before = files(&town);
    let chunk = Ask::Chunk(Chunk::sign(&li.signer, huge.clone()));
    let answer = said(&mut li, town.hq, vec![chunk]);
    assert_eq!(answer.notices, [Notice::Refused(reason::SIGNATURE)]);
    huge.total = 33 * 1024 * 1024;
    huge.index = 0;
    let chunk = Ask::Chunk(Chunk::sign(&li.signer, huge));
    said(&mut li, town.hq, vec![chunk]);
    assert_eq!(files(&town), before);
    // Control: the honest one lies where it belongs.
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(town.company.hq.files().join(&name[..2]).join(&name).is_file());
}

fn files(town: &Town) -> usize {
    let count = |path: std::path::PathBuf| std::fs::read_dir(path).map_or(0, Iterator::count);
    count(town.company.hq.files()) + count(town.company.hq.files().join("partial"))
}
