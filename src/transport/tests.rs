//! Small servers of one connection: plain, under TLS, wrong and silent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// Reads one request and answers with `head` and `answer`; returns the request's body.
fn serve(stream: impl Read + Write, head: &str, answer: &[u8]) -> Vec<u8> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let stream = stream.get_mut();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(answer).unwrap();
    stream.flush().unwrap();
    body
}

/// Answers one plain request; returns the address and, when joined, the body that came.
fn plain(head: &'static str, answer: &'static [u8]) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || serve(listener.accept().unwrap().0, head, answer));
    (address, server)
}

#[test]
fn a_body_goes_and_an_answer_comes() {
    let (address, server) = plain("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", b"yes");
    let transport = Transport::new(&address, &[]).unwrap();
    assert_eq!(transport.post(b"the request"), Ok(b"yes".to_vec()));
    assert_eq!(server.join().unwrap(), b"the request");
    assert_eq!(transport.moved(), (11, 3));
}

#[test]
fn another_status_than_200_is_told() {
    let (address, server) = plain("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", b"");
    assert_eq!(Transport::new(&address, &[]).unwrap().post(b"x"), Err(TransportError::Status(503)));
    server.join().unwrap();
}

#[test]
fn a_busy_server_says_when_to_come_again() {
    let check = |head, expected| {
        let (address, server) = plain(head, b"");
        assert_eq!(Transport::new(&address, &[]).unwrap().post(b"x"), Err(expected), "{head}");
        server.join().unwrap();
    };
    let later = TransportError::Later { seconds: 7 };
    check("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", later);
    check("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", later);
    check("HTTP/1.1 404 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", TransportError::Status(404));
    let nonsense = "HTTP/1.1 429 Slow\r\nretry-after: Wed, 21 Oct\r\ncontent-length: 0\r\n\r\n";
    check(nonsense, TransportError::Status(429));
}

#[test]
fn a_large_body_has_time_to_pass_a_thin_line_before_its_answer_is_missed() {
    let thin_line = |bytes: usize| Duration::from_secs(u64::try_from(bytes * 8 / 64_000).unwrap());
    for bytes in [0, 20_000, 946_000, 2 * 1024 * 1024] {
        assert!(patience(bytes) >= thin_line(bytes) + Duration::from_secs(IDLE_SECONDS), "{bytes}");
    }
    assert_eq!(patience(0), Duration::from_secs(IDLE_SECONDS), "a dead line is noticed soon");
}

#[test]
fn an_answer_cut_short_is_a_broken_line() {
    let (address, server) = plain("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"yes");
    let answer = Transport::new(&address, &[]).unwrap().post(b"x");
    assert_eq!(answer, Err(TransportError::Unreachable(Fault::Broken)));
    server.join().unwrap();
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    // Port 1 is nobody's, and no system gives it to another test meanwhile.
    let answer = Transport::new("http://127.0.0.1:1", &[]).unwrap().post(b"x");
    assert_eq!(answer, Err(TransportError::Unreachable(Fault::Refused)));
}

#[test]
fn an_address_that_cannot_be_hq_is_refused() {
    let check = |address, expected| assert_eq!(Transport::new(address, &[]).unwrap_err(), expected);
    check("ftp://hq", TransportError::Address);
    check("hq.example.cn:7400", TransportError::Address);
    check("", TransportError::Address);
    check("https://hq.example.cn:7400", TransportError::NoPin);
}

/// Answers one request under TLS with a new key; returns the address, the key's pin and the server.
fn secure() -> (String, [u8; 32], JoinHandle<Option<Vec<u8>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["hq.example.cn".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let parsed = webpki::EndEntityCert::try_from(&certificate).unwrap();
    let spki = ring::digest::digest(&ring::digest::SHA256, &parsed.subject_public_key_info());
    let pin = <[u8; 32]>::try_from(spki.as_ref()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        connection.complete_io(&mut socket).ok()?;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n";
        Some(serve(StreamOwned::new(connection, socket), head, b"yes"))
    });
    (address, pin, server)
}

#[test]
fn hq_is_known_by_the_pin_of_its_key_whatever_its_name() {
    let (address, pin, server) = secure();
    let transport = Transport::new(&address, &[[9; 32], pin]).unwrap();
    assert_eq!(transport.post(b"the request"), Ok(b"yes".to_vec()));
    assert_eq!(server.join().unwrap().as_deref(), Some(&b"the request"[..]));
}

#[test]
fn another_key_gets_nothing() {
    let (address, mut pin, server) = secure();
    pin[0] ^= 1;
    let transport = Transport::new(&address, &[[9; 32], pin]).unwrap();
    assert_eq!(transport.post(b"the request"), Err(TransportError::WrongKey));
    drop(transport);
    assert_eq!(server.join().unwrap(), None);
}
