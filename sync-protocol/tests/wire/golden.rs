//! The bytes of a released version never change: each is written down in `tests/golden/` and compared.
//!
//! A round trip alone does not see a reordered enum or a field moved.
//! After a deliberate addition, `FIELDBOOK_GOLDEN=write cargo test -p sync-protocol golden` writes the files anew;
//! a line that changes instead of being added is a broken protocol.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use records::decision::Decision;
use records::kinds::staff::Role;
use records::schema::{Class, Field, Group, Kind, SetChange};
use records::value::payload::{encode_rows, encode_set};
use records::value::{Fix, MeterValue, Target, Type, Value};
use sync_protocol::conversation::{RequestHash, write_answer, write_request};
use sync_protocol::envelope::{self, Message, Moved, Notices, Page, Push, Rulings};
use sync_protocol::op::{Row, Write};
use sync_protocol::stamp::Stamp;
use sync_protocol::{columns, frame};

use crate::sample;

/// The names of [`sample::asks`], in order.
const ASKS: [&str; 13] = [
    "ask_rulings",
    "ask_extracts",
    "ask_relay",
    "ask_chunk",
    "ask_have",
    "ask_want",
    "ask_buckets",
    "ask_reread",
    "ask_clocks",
    "ask_tables",
    "ask_vouched",
    "ask_pins",
    "ask_newer",
];
/// The names of [`sample::tells`], in order.
const TELLS: [&str; 10] = [
    "tell_held",
    "tell_wanted",
    "tell_piece",
    "tell_differing",
    "tell_relayed",
    "tell_renamed",
    "tell_tables",
    "tell_vouched",
    "tell_pins",
    "tell_newer",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Compares the vectors with the file of that name: one `name hex` a line, sorted.
fn check(name: &str, vectors: &BTreeMap<String, Vec<u8>>) {
    let text: String = vectors.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    if std::env::var("FIELDBOOK_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::write(file(name), &text).unwrap();
    }
    let kept = std::fs::read_to_string(file(name)).unwrap_or_default();
    for (found, kept) in text.lines().zip(kept.lines()) {
        assert_eq!(found, kept, "in {name}");
    }
    assert_eq!(text.lines().count(), kept.lines().count(), "vectors in {name}");
}

/// Returns the vectors of a file by name.
pub(crate) fn kept(name: &str) -> BTreeMap<String, Vec<u8>> {
    let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
    let vector = |line: &str| {
        let (name, hex) = line.split_once(' ').unwrap();
        (name.to_owned(), hex.as_bytes().chunks(2).map(byte).collect())
    };
    std::fs::read_to_string(file(name)).unwrap().lines().map(vector).collect()
}

fn message<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    envelope::write(message, &mut out);
    out
}

#[test]
fn messages_keep_their_bytes() {
    let answer = sample::answer();
    let moved = Moved { positions: answer.end.next.positions.clone(), more: true };
    let vectors = [
        ("hello", message(&sample::full_hello())),
        ("enrol", message(&sample::enrol())),
        ("push", message(&Push::from(&sample::segments(2)[0]))),
        ("push_ack", message(&answer.ack)),
        ("notices", message(&Notices(sample::notices()))),
        ("certificate", message(&sample::certificate())),
        ("page", message(&Page(sample::items()))),
        ("moved", message(&moved)),
        ("rulings", message(&Rulings(sample::rulings()))),
    ];
    check("messages.hex", &vectors.map(|(name, bytes)| (name.to_owned(), bytes)).into());
}

#[test]
fn asides_keep_their_bytes() {
    let written = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    let asks: Vec<_> = sample::asks().iter().map(|ask| written(&|out| ask.write(out))).collect();
    let tells: Vec<_> = sample::tells().iter().map(|tell| written(&|out| tell.write(out))).collect();
    assert_eq!((asks.len(), tells.len()), (ASKS.len(), TELLS.len()));
    let names = ASKS.iter().chain(&TELLS).map(ToString::to_string);
    check("asides.hex", &names.zip(asks.into_iter().chain(tells)).collect());
}

#[test]
fn the_shells_keep_their_bytes() {
    let mut framed = Vec::new();
    frame::write(frame::CONTROL, b"payload", &mut framed);
    let child = sample::child_segment();
    let request = write_request(&sample::request(1), &sample::device());
    let answer =
        write_answer(&sample::plain_answer(&sample::request(1)), RequestHash::of(&request), &sample::hq());
    let vectors = [
        ("frame", framed),
        ("row", sample::full_row().to_bytes()),
        ("rows_plain", plain_rows(&[sample::row(1), sample::full_row()])),
        ("segment_body_with_parent", child.body),
        ("segment_signature", child.signature.0.to_vec()),
        ("enrolment_code", sample::enrolment().to_code().into_bytes()),
        ("enrolment_proof", sample::enrol().proof.to_vec()),
        ("parcel", sample::parcel()),
        ("bundle", sample::bundle()),
        ("answered", sample::answered(&request, answer.clone()).to_bytes()),
        ("request", request),
        ("answer", answer),
    ];
    check("shells.hex", &vectors.map(|(name, bytes)| (name.to_owned(), bytes)).into());
}

/// Coding 0, written out: each row behind its length.
fn plain_rows(rows: &[Row]) -> Vec<u8> {
    let mut out = vec![0];
    for row in rows {
        let bytes = row.to_bytes();
        out.extend_from_slice(&postcard::to_allocvec(&bytes.len()).unwrap());
        out.extend_from_slice(&bytes);
    }
    let seqs: Vec<u64> = (1..).take(rows.len()).collect();
    assert_eq!(columns::decode(&out, sample::LINE, &seqs).as_deref(), Ok(rows));
    out
}

#[test]
fn the_row_of_every_kind_and_schema_keeps_its_bytes() {
    let vectors = records::kinds::KINDS
        .iter()
        .map(|kind| (format!("{}_{}", kind.name, kind.schema), full(kind).to_bytes()))
        .collect();
    check("kinds.hex", &vectors);
}

/// A coder may choose otherwise one day; what was coded once must always read the same.
#[test]
fn the_columns_of_every_kind_and_schema_read_as_ever() {
    let seqs: Vec<u64> = (1..=20).collect();
    let rows = |kind: &Kind| -> Vec<Row> {
        let row = |seq: &u64| {
            let full = full(kind);
            let stamp = Stamp { ms: full.stamp.ms + seq * 61_000, ..full.stamp };
            Row { stamp, doc: seq.is_multiple_of(2).then(|| sample::doc(seq - 1)), ..full }
        };
        seqs.iter().map(row).collect()
    };
    let line = |kind: &&Kind| {
        let bytes = columns::encode(&rows(kind), sample::LINE, &seqs);
        format!("{}_{} {}\n", kind.name, kind.schema, hex(&bytes))
    };
    if std::env::var("FIELDBOOK_GOLDEN").is_ok_and(|word| word == "write") {
        let text: String = records::kinds::KINDS.iter().copied().map(|kind| line(&kind)).collect();
        std::fs::write(file("columns.hex"), text).unwrap();
    }
    let kept = std::fs::read_to_string(file("columns.hex")).unwrap();
    for kind in records::kinds::KINDS {
        let name = format!("{}_{} ", kind.name, kind.schema);
        let hex = kept.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        let byte = |at: usize| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(byte).collect();
        assert_eq!(bytes[0], 1, "{name}");
        assert_eq!(columns::decode(&bytes, sample::LINE, &seqs), Ok(rows(kind)), "{name}");
    }
}

/// A row that writes every field of every group of the kind.
fn full(kind: &Kind) -> Row {
    let write = |group: &&Group| Write { tag: group.tag(), bytes: payload(group) };
    Row {
        kind: kind.number,
        schema: kind.schema,
        doc: None,
        stamp: Stamp { ms: sample::NOW_MS, counter: 1 },
        seen: Vec::new(),
        forked_from: None,
        writes: kind.groups.iter().map(write).collect(),
    }
}

fn payload(group: &Group) -> Vec<u8> {
    let row: Vec<Option<Value>> = group.fields.iter().map(|field| Some(value(field))).collect();
    match group.class {
        Class::Once | Class::Last | Class::Contested => records::value::encode(group.fields, &row),
        Class::Ledger => encode_rows(group.fields, &[row]),
        Class::Set => {
            encode_set(group.fields, &SetChange { add: vec![row], remove: vec![(sample::op(3), 1)] })
        }
        Class::Decision => postcard::to_allocvec(&decision()).unwrap(),
    }
}

fn decision() -> Decision {
    Decision {
        step: 2,
        role: Role::SUPERVISOR,
        on_behalf_of: Some(sample::doc(8)),
        to: None,
        reason: "照片不清".into(),
        saw: Some([0x5a; 16]),
        picks: Some(sample::op(2)),
    }
}

fn value(field: &Field) -> Value {
    match field.ty {
        Type::Text(_) => Value::Text("字a".into()),
        Type::Fen => Value::Int(-3_500),
        Type::Ts => Value::Int(1_795_399_200_000),
        Type::Day => Value::Int(20_780),
        Type::Min | Type::Count | Type::Metre => Value::Int(70_000),
        Type::Qty => Value::Int(1_500),
        Type::Bool => Value::Bool(true),
        Type::Choice(_) => Value::Choice(1),
        Type::Ref(kind) if kind % 2 == 0 => Value::Ref(Target::Text("东站".into())),
        Type::Ref(_) => Value::Ref(Target::Doc(sample::doc(6))),
        Type::Meter => Value::Meter(MeterValue { mantissa: 12_345, decimals: 1, unit: "kWh".into() }),
        Type::Fix => Value::Fix(Fix { lat: 312_304_000, lon: 1_214_737_000, accuracy: 12, mock: false }),
        Type::File | Type::Digest => Value::File(vec![0xf1; 32]),
    }
}
