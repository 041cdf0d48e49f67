//! How many bytes and nanoseconds a real file costs: only where `FIELDBOOK_DATA` names the folder of the files.

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use records::kinds::{number, sheet};
use records::schema::{Class, SetChange, Typed};
use records::table::mapping::Mapping;
use records::table::rows::{Rows, Wanted};
use records::time::{Day, Zone};
use records::value::{encode, payload};

use super::{decode, encode as encode_rows};
use crate::body::pack;
use crate::limits::{BODY_OPS_MAX, SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use crate::op::{Row, Write};
use crate::stamp::Stamp;

const LINE: (Replica, Epoch) = (Replica(7), Epoch(3_061_842_211));

/// Returns the ops that importing the file makes: one that creates each record, one for each step it goes on to.
fn ops(file: &str, mapping: &str) -> Vec<Row> {
    let folder = std::env::var("FIELDBOOK_DATA").unwrap();
    let mapping = std::fs::read_to_string(format!("../mappings/{mapping}")).unwrap();
    let wanted = Wanted {
        mapping: Some(Mapping::parse(&mapping).unwrap()),
        kind: None,
        zone: Zone::SHANGHAI,
        today: Day(20_800),
    };
    let file = std::fs::File::open(format!("{folder}/{file}")).unwrap();
    let mut out = Vec::new();
    let mut ms = 1_795_000_000_000;
    for row in Rows::open(file, wanted).unwrap() {
        let Ok(row) = row else { continue };
        ms += 1 + out.len() as u64 * 7919 % 5;
        let op = |doc, mut writes: Vec<Write>| {
            writes.sort_by_key(|write| write.tag);
            let stamp = Stamp { ms, counter: 0 };
            Row {
                kind: row.kind.number,
                schema: row.kind.schema,
                doc,
                stamp,
                seen: vec![],
                forked_from: None,
                writes,
            }
        };
        let write = |(tag, rows): &(records::schema::Tag, Vec<records::value::Row>)| {
            let group = row.kind.group(tag.number()).unwrap();
            let bytes = match group.class {
                Class::Ledger => payload::encode_rows(group.fields, rows),
                Class::Set => payload::encode_set(
                    group.fields,
                    &SetChange {
                        add: rows.clone(),
                        remove: vec![],
                    },
                ),
                _ => encode(group.fields, &rows[0]),
            };
            Write { tag: *tag, bytes }
        };
        let id = OpId {
            replica: LINE.0,
            epoch: LINE.1,
            seq: out.len() as u64 + 1,
        };
        out.push(op(None, row.groups.iter().map(write).collect()));
        for step in &row.then {
            let letter = if row.kind.number == number::REPAIR {
                'R'
            } else {
                'P'
            };
            let number = format!("{letter}HZ1-T006-2611-{:03}", id.seq / 2 + 1);
            let number = sheet::SheetNo {
                sheet_no: Some(records::value::Text(number)),
            };
            let decision = Decision {
                step: *step,
                role: Role::ENGINEER,
                on_behalf_of: None,
                to: None,
                reason: String::new(),
                saw: None,
                picks: None,
            };
            let decision = postcard::to_allocvec(&decision).unwrap();
            let number = postcard::to_allocvec(&number).unwrap();
            out.push(op(
                Some(DocId(id)),
                vec![
                    Write {
                        tag: DECISION_TAG,
                        bytes: decision,
                    },
                    Write {
                        tag: sheet::SheetNo::GROUP.tag(),
                        bytes: number,
                    },
                ],
            ));
        }
    }
    out
}

fn segments(rows: &[Row]) -> Vec<&[Row]> {
    let mut out = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |row: &&Row| {
            bytes += row.row_bytes();
            bytes <= SEGMENT_ROW_BYTES_MAX
        };
        let n = rest.iter().take(SEGMENT_OPS_MAX).take_while(fits).count();
        let (segment, left) = rest.split_at(n);
        out.push(segment);
        rest = left;
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn measure(name: &str, rows: &[Row], records: usize) {
    let seqs =
        |first: usize, segment: &[Row]| -> Vec<u64> { (first as u64 + 1..).take(segment.len()).collect() };
    let (mut packed, mut inflated, mut plain) = (0, 0, 0);
    let (mut encoding, mut decoding) = (0, 0);
    let noise = |n: usize| crate::chain::sha256(&[&n.to_le_bytes()]);
    for (at, request) in rows.chunks(BODY_OPS_MAX / 2).enumerate() {
        let mut first = at * (BODY_OPS_MAX / 2);
        let start = now();
        let mut frames = Vec::new();
        let mut coded = Vec::new();
        for segment in segments(request) {
            let bytes = encode_rows(segment, LINE, &seqs(first, segment));
            frames.extend_from_slice(&[0; 20]);
            (0..3).for_each(|i| frames.extend_from_slice(&noise(first * 3 + i)));
            frames.extend_from_slice(&bytes);
            coded.push((first, segment, bytes));
            first += segment.len();
        }
        let body = pack(&frames);
        encoding += start.elapsed().as_nanos();
        inflated += frames.len();
        packed += body.len();
        if at == 0
            && let Ok(folder) = std::env::var("FIELDBOOK_DUMP")
        {
            std::fs::write(format!("{folder}/{name}.frames"), &frames).unwrap();
        }
        let start = now();
        let mut again = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&body[1..]), &mut again).unwrap();
        for (first, segment, bytes) in &coded {
            let read = decode(bytes, LINE, &seqs(*first, segment)).unwrap();
            assert_eq!(read.len(), segment.len());
        }
        decoding += start.elapsed().as_nanos();
        for (first, segment, bytes) in coded {
            assert_eq!(decode(&bytes, LINE, &seqs(first, segment)).unwrap(), segment);
            plain += segment.iter().map(Row::row_bytes).sum::<usize>();
        }
    }
    let each = |n: u128| n / records as u128;
    println!(
        "{name}: {records} records, {} ops, rows {plain} B, columns {inflated} B, sent {packed} B ({} a record), \
         encode + deflate {} ns, inflate + decode {} ns a record",
        rows.len(),
        each(packed as u128),
        each(encoding),
        each(decoding),
    );
}

#[test]
fn the_workload_takes_as_few_bytes_as_promised() {
    if std::env::var_os("FIELDBOOK_DATA").is_none() {
        return;
    }
    let sheets = ops("workload/sheets.jsonl", "workload-sheets.toml");
    measure(
        "sheets",
        &sheets,
        sheets.iter().filter(|row| row.doc.is_none()).count(),
    );
    let vouchers = ops("workload/vouchers.jsonl", "workload-vouchers.toml");
    measure(
        "vouchers",
        &vouchers,
        vouchers.iter().filter(|row| row.doc.is_none()).count(),
    );
}
