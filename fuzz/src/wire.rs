//! The protocol: frames, the two halves of a conversation, messages, segments and rows.

use records::id::{Epoch, Replica};
use records::kinds;
use records::value::payload;
use sync_protocol::asides::Tell;
use sync_protocol::chain::{Line, Link, sha256};
use sync_protocol::conversation::{Event, ReadError, Reader, RequestHash, read_answer, write_answer};
use sync_protocol::envelope::{self, Message, Moved, Notices, Page, Push, Raw, Rulings};
use sync_protocol::limits::{CONTROL_BYTES_MAX, SEGMENT_OPS_MAX, inflate_max};
use sync_protocol::message::{Certificate, Enrol, Hello, Item, PushAck};
use sync_protocol::op::Row;
use sync_protocol::segment::Body;
use sync_protocol::sign::{Signature, Signer};
use sync_protocol::{columns, frame};

const LINE: Line = (Replica(0x9a3c_71e5), Epoch(0xb671_3f02));

/// A key that the fuzzer knows: what stands behind a signature is reached by signing.
fn signer() -> Option<Signer> {
    Signer::from_seed(&[1; 32]).ok()
}

/// Frames one behind the other.
pub(crate) fn frame(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((found, length))) = frame::read(rest, CONTROL_BYTES_MAX) {
        let mut again = Vec::new();
        frame::write(found.kind, found.payload, &mut again);
        assert_eq!(rest.get(..length), Some(again.as_slice()), "a frame has a second spelling");
        rest = rest.get(length..).unwrap_or_default();
    }
    // The payload of a damaged frame is reached by writing its checksum anew.
    let mut whole = Vec::new();
    frame::write(frame::PUSH, bytes, &mut whole);
    let read = frame::read(&whole, bytes.len());
    assert!(matches!(read, Ok(Some((found, _))) if found.payload == bytes), "a frame does not read back");
}

/// A request's body: as it stands, and as frames in a body that a device signed.
pub(crate) fn request(bytes: &[u8]) {
    let Some(signer) = signer() else { return };
    in_pieces(bytes);
    let mut signed = [&[0][..], bytes].concat();
    let hash = sha256(&[&signed]);
    signed.extend_from_slice(&signer.sign("request", &[&hash]).0);
    in_pieces(&signed);
    let mut body = vec![0];
    behind_length(bytes, &mut body);
    let hash = sha256(&[&body]);
    body.extend_from_slice(&signer.sign("request", &[&hash]).0);
    in_pieces(&body);
}

/// Whatever the sizes of the pieces that a body arrives in, the same comes out of it.
fn in_pieces(body: &[u8]) {
    let whole = events(body, body.len().max(1));
    let pieces = events(body, 97);
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces, "pieces of a body read otherwise"),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => assert!(!body.is_empty(), "only one reads: {error}"),
    }
}

fn events(body: &[u8], piece: usize) -> Result<Vec<Event>, ReadError> {
    let mut reader = Reader::new(inflate_max(body.len()));
    let mut events = Vec::new();
    for piece in body.chunks(piece) {
        events.extend(reader.push(piece)?);
    }
    for event in &events {
        if let Event::Push(segment) = event {
            drop(segment.open(Link::ROOT));
        }
    }
    let key = signer().map(|signer| signer.public());
    reader.finish_by(key.as_slice())?;
    Ok(events)
}

/// The messages of an answer that headquarters signed: even then they are a stranger's.
pub(crate) fn answer(bytes: &[u8]) {
    let Some(signer) = signer() else { return };
    let request = RequestHash([7; 32]);
    let body = [&[0][..], bytes].concat();
    let Some(signature) = signature(bytes, request, &signer) else { return };
    let body = [body.as_slice(), &signature.0].concat();
    let Ok((answer, proof)) = read_answer(&body, request, &signer.public()) else { return };
    // A message of a newer version is stepped over: what is kept of it lacks its schema, and nobody writes it again.
    if !answer.tells.iter().any(|tell| matches!(tell, Tell::Newer { .. })) {
        let again = write_answer(&answer, request, &signer);
        let read = read_answer(&again, request, &signer.public()).map(|(answer, _)| answer);
        assert_eq!(read.as_ref(), Ok(&answer), "an answer does not read back");
    }
    if let Some(rulings) = proof.of_rulings() {
        assert!(rulings.open(&signer.public()).is_ok(), "rulings of a good answer do not open");
    }
    for item in &answer.items {
        match item {
            Item::Segment(segment) => drop(segment.open(Link::ROOT)),
            Item::Extract(extract) => drop(extract.open()),
            Item::Evict(_) | Item::Newer { .. } => {}
        }
    }
}

/// Signs messages as headquarters signs those of an answer.
///
/// Source: docs/PROTOCOL.md, Answer.
fn signature(control: &[u8], request: RequestHash, signer: &Signer) -> Option<Signature> {
    let raws = envelope::split(control).ok()?;
    let last = raws.last().filter(|raw| raw.is::<Rulings>());
    let rulings = last.map_or(&[][..], |raw| raw.bytes);
    let mut behind = Vec::new();
    if last.is_some() {
        frame_of(rulings, &mut behind);
    }
    let (rest, _) = control.split_at(control.len().saturating_sub(behind.len()));
    let page = raws.iter().find(|raw| raw.is::<Page>());
    let leaves: Vec<[u8; 32]> = match page.map(Raw::read::<Page>) {
        Some(Ok(Page(items))) => items.iter().filter_map(leaf).collect(),
        _ => Vec::new(),
    };
    let leaves: Vec<&[u8]> = leaves.iter().map(<[u8; 32]>::as_slice).collect();
    let what = [sha256(&[rulings]), sha256(&leaves)].concat();
    let context = [request.0, sha256(&[rest])].concat();
    Some(signer.sign("answer", &[&what, &context]))
}

fn leaf(item: &Item) -> Option<[u8; 32]> {
    match item {
        Item::Extract(extract) => Some(sync_protocol::proof::leaf(extract)),
        Item::Segment(_) | Item::Evict(_) | Item::Newer { .. } => None,
    }
}

/// Appends a message of rulings whose bytes are there already.
fn frame_of(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[Rulings::NUMBER, Rulings::SCHEMA]);
    behind_length(bytes, out);
}

fn behind_length(bytes: &[u8], out: &mut Vec<u8>) {
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or_default());
    out.extend_from_slice(bytes);
}

/// A run of messages, and the bytes as each message.
pub(crate) fn message(bytes: &[u8]) {
    for raw in envelope::split(bytes).unwrap_or_default() {
        each(raw.bytes);
    }
    each(bytes);
}

fn each(bytes: &[u8]) {
    spelt::<Hello>(bytes);
    spelt::<Enrol>(bytes);
    spelt::<Push>(bytes);
    spelt::<PushAck>(bytes);
    spelt::<Notices>(bytes);
    spelt::<Certificate>(bytes);
    spelt::<Page>(bytes);
    spelt::<Moved>(bytes);
    spelt::<Rulings>(bytes);
}

/// A message has one spelling.
fn spelt<M: Message>(bytes: &[u8]) {
    let raw = Raw { number: M::NUMBER, schema: M::SCHEMA, bytes };
    if let Ok(message) = raw.read::<M>() {
        let mut out = Vec::new();
        envelope::write(&message, &mut out);
        let again = envelope::split(&out).unwrap_or_default();
        let again: Vec<&[u8]> = again.iter().map(|raw| raw.bytes).collect();
        assert_eq!(again, [bytes], "message {:#04x} has a second spelling", M::NUMBER);
    }
}

/// The body of a segment and the rows in it: the first byte says how many ops, less one.
pub(crate) fn segment(bytes: &[u8]) {
    let Some((count, bytes)) = bytes.split_first() else { return };
    if let Ok(body) = Body::from_bytes(bytes) {
        assert_eq!(body.to_bytes(), bytes, "a segment's body has a second spelling");
        rows(&body.rows, usize::from(*count) + 1);
    }
    rows(bytes, usize::from(*count) + 1);
}

/// What decodes is coded again so that the same rows come out.
fn rows(bytes: &[u8], count: usize) {
    let seqs: Vec<u64> = (5..).take(count.min(SEGMENT_OPS_MAX)).collect();
    let Ok(rows) = columns::decode(bytes, LINE, &seqs) else { return };
    assert_eq!(rows.len(), seqs.len(), "another number of rows than ops");
    let again = columns::encode(&rows, LINE, &seqs);
    // Coded anew they may need more room than a segment has; then they are refused, as a size.
    match columns::decode(&again, LINE, &seqs) {
        Ok(read) => assert_eq!(read, rows, "rows do not read back"),
        Err(error) => assert_eq!(error, columns::ColumnsError::Size, "rows do not read back"),
    }
}

/// A row, and the bytes as a payload of each group of each kind.
pub(crate) fn row(bytes: &[u8]) {
    if let Ok(row) = Row::from_bytes(bytes) {
        assert_eq!(row.to_bytes(), bytes, "a row has a second spelling");
        let Some(kind) = kinds::by_number(row.kind) else { return };
        for (tag, write) in row.writes.iter().map(|write| (write.tag, &write.bytes)) {
            let group = kind.groups.iter().find(|group| group.tag() == tag);
            group.into_iter().for_each(|group| payload_of(group, write));
        }
    }
    for group in kinds::KINDS.iter().flat_map(|kind| kind.groups) {
        payload_of(group, bytes);
    }
}

fn payload_of(group: &records::schema::Group, bytes: &[u8]) {
    payload::check(group, bytes).unwrap_or_default();
    drop(payload::row_at(group, 1, bytes));
    let Ok(rows) = payload::decode_rows(group.fields, bytes) else { return };
    assert_eq!(
        payload::encode_rows(group.fields, &rows),
        bytes,
        "rows of {} have a second spelling",
        group.name
    );
}
