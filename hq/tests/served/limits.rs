//! Too often, too many, too slow, too much: refused with a word on when to come again, and nobody else notices.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use fieldbook_hq::porter::Limits;
use sync_protocol::asides::{Ask, Chunk, Piece};
use sync_protocol::chain::sha256;
use sync_protocol::conversation::write_request;
use sync_protocol::limits::CHUNK_BYTES;
use sync_protocol::message::Notice;
use sync_protocol::reason;

use crate::Hq;
use crate::device::{Device, NOW_MS, post};

/// Posts a body and returns all that came back, headers included.
fn raw(hq: SocketAddr, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(hq).unwrap();
    let length = body.len();
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).to_ascii_lowercase()
}

#[test]
fn a_device_that_comes_too_often_is_told_when_to_come_again_and_no_other_one_is() {
    let hq = Hq::start_with(Limits { device_per_s: 1, ..Limits::default() });
    let mut device = Device::scan(&hq.code("E1"), 1);
    for _ in 0..60 {
        device.sync(hq.address, 0);
    }
    let said = raw(hq.address, &write_request(&device.request(0), &device.signer));
    assert!(said.starts_with("http/1.1 429") && said.contains("\r\nretry-after: 1\r\n"), "{said}");
    Device::scan(&hq.code("E2"), 2).sync(hq.address, 0);
}

#[test]
fn requests_that_somebody_makes_in_a_devices_name_take_none_of_its_turns() {
    let hq = Hq::start_with(Limits { device_per_s: 1, ..Limits::default() });
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    let forger = Device::scan(&device.enrolment.to_code(), 9);
    let mut request = forger.request(0);
    request.enrol = None;
    let forged = write_request(&request, &forger.signer);
    for _ in 0..100 {
        assert_eq!(post(hq.address, &forged).0, 401);
    }
    device.sync(hq.address, 0);
}

#[test]
fn an_address_that_asks_too_often_waits_whatever_it_asks_for() {
    let hq = Hq::start_with(Limits { address_per_s: 1, ..Limits::default() });
    for _ in 0..60 {
        assert_eq!(post(hq.address, b"nonsense").0, 400);
    }
    let said = raw(hq.address, b"nonsense");
    assert!(said.starts_with("http/1.1 429") && said.contains("\r\nretry-after: 1\r\n"), "{said}");
    let mut stream = TcpStream::connect(hq.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 429"), "{page}");
}

#[test]
fn connections_beyond_an_addresss_share_are_closed_and_the_others_go_on() {
    let hq = Hq::start_with(Limits { address_connections: 3, ..Limits::default() });
    let mut open: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(hq.address).unwrap()).collect();
    for stream in &mut open {
        // One answer on each shows that it was let in.
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: hq\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
    }
    let mut fourth = TcpStream::connect(hq.address).unwrap();
    assert_eq!(fourth.read(&mut [0; 1]).unwrap_or(0), 0, "closed without a word");
    drop(open.pop());
    let mut device = Device::scan(&hq.code("E1"), 1);
    let asks_until_the_place_is_free = || (0..1_000).any(|_| post(hq.address, b"x").0 == 400);
    assert!(asks_until_the_place_is_free());
    while post(hq.address, b"x").0 != 400 {}
    let body = write_request(&device.request(0), &device.signer);
    let answer = (0..1_000).map(|_| post(hq.address, &body)).find(|(status, _)| *status == 200);
    device.take(&body, &answer.unwrap().1);
}

#[test]
fn conversations_that_hold_every_turn_make_the_next_one_come_again_instead_of_waiting_for_ever() {
    next_one_comes_again(Limits { address_sessions: 2, ..Limits::default() });
}

#[test]
fn whoever_would_wait_behind_too_many_is_told_at_once_to_come_again() {
    let turn = std::time::Duration::from_secs(24 * 60 * 60);
    next_one_comes_again(Limits { sessions: 1, waiting: 0, turn, ..Limits::default() });
    next_one_comes_again(Limits { sessions: 2, waiting: 0, turn, ..Limits::default() });
}

/// As many conversations as are taken stand still; the next one is told when to come again, and gets a turn once they
/// are gone.
fn next_one_comes_again(limits: Limits) {
    let hq = Hq::start_with(limits);
    let taken = limits.sessions.min(usize::try_from(limits.address_sessions).unwrap());
    let head = "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n";
    let slow: Vec<TcpStream> = (0..taken)
        .map(|_| {
            let mut stream = TcpStream::connect(hq.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            // The server asks for the body: the conversation has begun.
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
            stream
        })
        .collect();
    let said = raw(hq.address, b"nonsense");
    assert!(said.starts_with("http/1.1 503") && said.contains("\r\nretry-after: "), "{said}");
    drop(slow);
    assert!((0..1_000).any(|_| post(hq.address, b"nonsense").0 == 400), "a turn that is left is free");
}

#[test]
fn headers_that_do_not_end_and_bodies_that_stand_still_are_hung_up_on() {
    // The server's own times are ten and thirty seconds. One of them is short, and what is asked there comes late for it
    // or at once.
    let short = Duration::from_millis(300);
    let of_headers = Hq::start_with(Limits { headers: short, ..Limits::default() });
    let of_bodies = Hq::start_with(Limits { idle: short, ..Limits::default() });
    let ends = |hq: &Hq, bytes: &[u8]| {
        let mut stream = TcpStream::connect(hq.address).unwrap();
        stream.write_all(bytes).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    };
    assert_eq!(ends(&of_headers, b"POST /v1/sync HTTP/1.1\r\nHost: h"), "", "headers that never end");
    assert_eq!(ends(&of_headers, b""), "", "nothing at all");
    let said = ends(&of_bodies, b"POST /v1/sync HTTP/1.1\r\nHost: hq\r\nContent-Length: 1000\r\n\r\nFB");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    let device = Device::scan(&of_bodies.code("E1"), 1);
    let whole = raw(of_bodies.address, &write_request(&device.request(0), &device.signer));
    assert!(whole.starts_with("http/1.1 200"), "{whole}");
}

#[test]
fn a_body_that_comes_byte_by_byte_is_taken() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    let body = write_request(&device.request(0), &device.signer);
    let mut stream = TcpStream::connect(hq.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let length = body.len();
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for byte in &body {
        stream.write_all(std::slice::from_ref(byte)).unwrap();
        stream.flush().unwrap();
        std::thread::yield_now();
    }
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
    let split = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    device.take(&body, &said[split + 4..]);
}

#[test]
fn a_device_that_leaves_more_than_its_share_is_told_and_keeps_what_was_not_taken() {
    let hq = Hq::start_with(Limits { device_bytes_a_day: 60_000, ..Limits::default() });
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("warm up");
    device.sync(hq.address, 0);
    for at in 0..2_000 {
        let noise = sha256(&[&u32::to_le_bytes(at)]);
        device.sheet(&noise.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    let answer = device.sync(hq.address, 1);
    assert!(answer.notices.contains(&Notice::Refused(reason::QUOTA)), "{:?}", answer.notices);
    let held = answer.ack.held[0].up_to;
    assert!((2..2_001).contains(&held), "the first segments were taken: {held}");
    // What HQ holds already costs nothing, another device has its own share, and work is not lost by it.
    let again = device.sync(hq.address, 0);
    assert_eq!(again.ack.held[0].up_to, held);
    let mut other = Device::scan(&hq.code("E2"), 2);
    other.sheet("another device");
    assert_eq!(other.sync(hq.address, 0).notices, []);
    let left = hq.desk().left_today(device.enrolment.replica, NOW_MS).unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[test]
fn a_file_beyond_a_devices_share_stays_missing_and_the_device_is_told() {
    let hq = Hq::start_with(Limits { device_bytes_a_day: 200_000, ..Limits::default() });
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    let bytes = vec![7; 3 * CHUNK_BYTES];
    let (hash, total) = (sha256(&[&bytes]), bytes.len() as u64);
    let mut request = device.request(0);
    request.asks = (0..3)
        .map(|index| {
            let piece = Piece { hash, total, index, bytes: vec![7; CHUNK_BYTES] };
            Ask::Chunk(Chunk::sign(&device.signer, piece))
        })
        .collect();
    let body = write_request(&request, &device.signer);
    let (status, answer) = post(hq.address, &body);
    assert_eq!(status, 200);
    let answer = device.take(&body, &answer);
    assert_eq!(answer.notices, [Notice::Refused(reason::QUOTA)]);
    let held = format!("{:?}", answer.tells);
    assert!(held.contains("missing: [(1, 2)]"), "{held}");
}

#[test]
fn what_is_measured_counts_what_happened_and_names_nobody() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("a customer's secret trouble");
    device.sync(hq.address, 0);
    let said = raw(hq.address, b"nonsense");
    assert!(said.contains("\r\nx-request-id: "), "{said}");
    let text = hq.metrics();
    for line in [
        "fieldbook_sync_requests_total{status=\"200\"} 1",
        "fieldbook_sync_requests_total{status=\"400\"} 1",
        "fieldbook_ops_total{verdict=\"accepted\"} 1",
        "fieldbook_devices{silent_days=\"1\"} 1",
        "fieldbook_devices{silent_days=\"never\"} 0",
        "fieldbook_held_back_segments 0",
        "fieldbook_sync_sessions 0",
    ] {
        assert!(text.lines().any(|held| held == line), "{line} in\n{text}");
    }
    for name in ["E1", "Wang", "secret", &device.enrolment.replica.0.to_string()] {
        assert!(!text.contains(name), "{name} in\n{text}");
    }
    let mut stream = TcpStream::connect(hq.address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(!page.contains("fieldbook_sync"), "the numbers are not where everybody comes");
}

#[test]
fn the_health_says_whether_a_write_is_taken() {
    let hq = Hq::start();
    let health = || {
        let mut stream = TcpStream::connect(hq.address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n").unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    };
    assert!(health().starts_with("HTTP/1.1 200"));
    // Somebody else's table where the settings were: reads go on, no write is taken.
    let sick = Hq::start();
    sick.spoil();
    let mut stream = TcpStream::connect(sick.address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
}
