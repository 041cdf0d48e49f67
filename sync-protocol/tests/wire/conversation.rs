//! A device and HQ talk over bytes: whole, in pieces, cut, changed, and with words of a newer version.

use crate::sample;
use proptest::prelude::*;
use records::id::Replica;
use sync_protocol::asides::Ask;
use sync_protocol::body::BodyError;
use sync_protocol::conversation::{
    Event, ReadError, Reader, RequestHash, read_answer, write_answer, write_request,
};
use sync_protocol::envelope::{self, Message, MessageError, Push};
use sync_protocol::frame::{self, FrameError};
use sync_protocol::limits::{CONTROL_BYTES_MAX, inflate_max};
use sync_protocol::message::{Extract, Hello, Item};
use sync_protocol::proof::ExtractsProof;

/// Reads a request in pieces of `step` bytes.
fn events(body: &[u8], step: usize) -> Result<(Vec<Event>, RequestHash), ReadError> {
    let mut reader = Reader::new(inflate_max(body.len()));
    let mut events = Vec::new();
    for piece in body.chunks(step) {
        events.extend(reader.push(piece)?);
    }
    Ok((events, reader.finish(&sample::device().public())?))
}

#[test]
fn a_request_reads_the_same_in_pieces_of_any_size() {
    let request = sample::request(700);
    assert!(request.segments.len() > 2);
    let body = write_request(&request, &sample::device());
    let expected: Vec<Event> = std::iter::once(Event::Hello(request.hello.clone()))
        .chain(request.enrol.clone().map(Event::Enrol))
        .chain(request.asks.iter().cloned().map(Event::Ask))
        .chain(request.segments.iter().cloned().map(Event::Push))
        .collect();
    for step in [1, 63, 64, 65, 1000, body.len()] {
        assert_eq!(events(&body, step), Ok((expected.clone(), RequestHash::of(&body))), "{step}");
    }
}

#[test]
fn every_complete_segment_of_a_cut_request_is_kept() {
    let request = sample::request(700);
    let body = write_request(&request, &sample::device());
    let mut most = 0;
    for cut in (0..body.len()).step_by(97) {
        let mut reader = Reader::new(inflate_max(body.len()));
        let got = reader.push(&body[..cut]).unwrap();
        let pushed: Vec<_> = got
            .into_iter()
            .filter_map(|event| if let Event::Push(s) = event { Some(s) } else { None })
            .collect();
        assert_eq!(pushed, request.segments[..pushed.len()], "cut at {cut}");
        most = most.max(pushed.len());
        assert!(reader.finish(&sample::device().public()).is_err(), "cut at {cut}");
    }
    assert!(most >= request.segments.len() - 1);
}

#[test]
fn a_request_signed_by_another_key_is_refused() {
    let body = write_request(&sample::request(1), &sample::hq());
    assert_eq!(events(&body, body.len()).map(|_| ()), Err(ReadError::Signature));
}

#[test]
fn an_answer_to_another_request_or_by_another_hq_is_refused() {
    let answer = sample::answer();
    let asked = RequestHash([7; 32]);
    let body = write_answer(&answer, asked, &sample::hq());
    let key = sample::hq().public();
    let (read, proof) = read_answer(&body, asked, &key).unwrap();
    assert_eq!(read, answer);
    let rulings = proof.of_rulings().unwrap();
    assert_eq!(rulings.open(&key), Ok(answer.rulings));
    let extract = sample::extract();
    assert!(answer.items.contains(&Item::Extract(extract.clone())));
    let extracts = proof.of_extracts(vec![extract.clone()]);
    assert_eq!(extracts.open(&key), Ok(&[extract.clone()][..]));
    let other = Extract { seqs: vec![1], ..extract };
    assert!(proof.of_extracts(vec![other.clone()]).extracts.is_empty());
    let forged = ExtractsProof { extracts: vec![other], ..extracts.clone() };
    assert_eq!(forged.open(&key), Err(ReadError::Signature));
    assert_eq!(read_answer(&body, RequestHash([8; 32]), &key), Err(ReadError::Signature));
    assert_eq!(read_answer(&body, asked, &sample::device().public()), Err(ReadError::Signature));
    assert_eq!(rulings.open(&sample::device().public()), Err(ReadError::Signature));
    assert_eq!(extracts.open(&sample::device().public()), Err(ReadError::Signature));
}

/// Signs frames as a device would, without deflating them.
fn signed(frames: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    body.extend_from_slice(frames);
    let hash = sync_protocol::chain::sha256(&[&body]);
    body.extend_from_slice(&sample::device().sign("request", &[&hash]).0);
    body
}

/// Returns first words: Hello, and then a message of that number with the bytes 1 and 2.
fn hello_and(number: u8) -> Vec<u8> {
    let mut control = Vec::new();
    envelope::write(&sample::hello(), &mut control);
    control.extend_from_slice(&[number, 1, 2, 1, 2]);
    [postcard::to_allocvec(&control.len()).unwrap(), control].concat()
}

#[test]
fn words_of_a_newer_version_are_handed_on_or_refused_as_their_high_bit_says() {
    let mut frames = hello_and(0x7e);
    frame::write(0x09, b"later", &mut frames);
    let body = signed(&frames);
    let message = Event::Ask(Ask::Newer { number: 0x7e, bytes: vec![1, 2] });
    let frame = Event::Unknown { kind: 0x09, bytes: b"later".to_vec() };
    let expected = vec![Event::Hello(sample::hello()), message, frame];
    assert_eq!(events(&body, 7).map(|(events, _)| events), Ok(expected));
    let refused = |number| Err(ReadError::Message(MessageError::Newer { number }));
    assert_eq!(events(&signed(&hello_and(0xfe)), 7).map(|_| ()), refused(0xfe));
    let mut frames = hello_and(0x7e);
    frame::write(0x89, b"later", &mut frames);
    assert_eq!(events(&signed(&frames), 7).map(|_| ()), refused(0x89));
}

#[test]
fn nothing_is_taken_before_hello_and_no_hello_twice() {
    let order = |number| Err(ReadError::Order { number });
    let mut push = vec![0];
    frame::write(frame::PUSH, &postcard::to_allocvec(&sample::segments(1)[0]).unwrap(), &mut push);
    assert_eq!(events(&signed(&push), 7).map(|_| ()), order(Push::NUMBER));
    for nothing in [&[][..], &[0]] {
        assert_eq!(events(&signed(nothing), 7).map(|_| ()), order(Hello::NUMBER));
    }
    let mut twice = hello_and(0x7e);
    let mut again = Vec::new();
    envelope::write(&sample::hello(), &mut again);
    frame::write(frame::CONTROL, &again, &mut twice);
    assert_eq!(events(&signed(&twice), 7).map(|_| ()), order(Hello::NUMBER));
}

#[test]
fn the_length_of_the_first_words_has_one_spelling_and_a_limit() {
    let cut = Err(ReadError::Message(MessageError::CutShort));
    let long = u32::try_from(CONTROL_BYTES_MAX).unwrap() + 1;
    let too_long = Err(ReadError::Frame(FrameError::TooLong { bytes: long, limit: CONTROL_BYTES_MAX }));
    let long = postcard::to_allocvec(&long).unwrap();
    for (length, expected) in [(&[0x80, 0][..], &cut), (&[0xff; 5], &cut), (&long, &too_long)] {
        let body = [&[0][..], length, &[0; 64]].concat();
        assert_eq!(&Reader::new(1 << 20).push(&body).map(|_| ()), expected, "{length:02x?}");
    }
    let waits = [&[0, 0x80, 0x80][..], &[0; 64]].concat();
    assert_eq!(Reader::new(1 << 20).push(&waits), Ok(Vec::new()));
}

#[test]
fn a_short_segment_of_another_device_keeps_its_authors_name() {
    let mut request = sample::request(1);
    request.segments[0].replica = Replica(7);
    let body = write_request(&request, &sample::device());
    let pushed = events(&body, 50).unwrap().0.pop();
    assert_eq!(pushed, Some(Event::Push(request.segments[0].clone())));
}

#[test]
fn a_gigabyte_of_zeros_in_a_few_bytes_is_refused() {
    let mut encoder = flate2::write::DeflateEncoder::new(vec![1], flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, b"\xff\xff\x0f").unwrap();
    std::io::Write::write_all(&mut encoder, &vec![0; 16 << 20]).unwrap();
    let mut body = encoder.finish().unwrap();
    body.extend_from_slice(&[0; 64]);
    let limit = inflate_max(body.len());
    let found = Reader::new(limit).push(&body);
    assert_eq!(found, Err(ReadError::Body(BodyError::TooLarge { limit })));
}

#[test]
fn bytes_of_each_conversation() {
    let measure = |n_ops: usize| {
        let request = sample::request(n_ops);
        let up = write_request(&request, &sample::device());
        let down = write_answer(&sample::plain_answer(&request), RequestHash::of(&up), &sample::hq());
        (up.len(), down.len())
    };
    println!("forty: {:?}", measure(40));
    // The table of docs/PROTOCOL.md, Sizes; without work the goal is 250 both ways.
    assert_eq!([measure(0), measure(1)], [(125, 84), (311, 129)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_a_body_are_refused_and_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(events(&body, 50).is_err());
        prop_assert!(read_answer(&body, RequestHash([7; 32]), &sample::hq().public()).is_err());
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8, n_ops in 0_usize..3) {
        let request = sample::request(n_ops);
        let mut up = write_request(&request, &sample::device());
        let asked = RequestHash::of(&up);
        let mut down = write_answer(&sample::answer(), asked, &sample::hq());
        let i = at.index(up.len());
        up[i] ^= 1_u8 << bit;
        let i = at.index(down.len());
        down[i] ^= 1_u8 << bit;
        prop_assert!(events(&up, 64).is_err());
        // Deflate leaves a few bits unread at its end: those change nothing.
        let read = read_answer(&down, asked, &sample::hq().public());
        prop_assert!(read.is_err() || read.is_ok_and(|(read, _)| read == sample::answer()));
    }
}
