//! How many bytes and nanoseconds a real file costs: only where `FIELDBOOK_DATA` names the folder of the files.

use std::collections::BTreeMap;

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use records::kinds::{number, sheet};
use records::schema::{Class, SetChange, Typed};
use records::table::mapping::Mapping;
use records::table::rows::{Rows, Wanted};
use records::time::{Day, Zone};
use records::value::{Target, Value, encode, payload};

use super::{decode, encode as encode_rows};
use crate::deflate::deflate;
use crate::limits::{SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use crate::op::{Row, Write};
use crate::stamp::Stamp;

const LINE: (Replica, Epoch) = (Replica(7), Epoch(3_061_842_211));

/// Returns the ops that importing the file makes: one that creates each record, one for each step it goes on to.
///
/// A voucher's sheet is a document where the sheets' file has it, as the importer finds it.
fn ops(file: &str, mapping: &str, sheets: &BTreeMap<String, DocId>) -> Vec<Row> {
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
        let Ok(mut row) = row else { continue };
        for value in row.groups.iter_mut().flat_map(|(_, rows)| rows.iter_mut().flatten().flatten()) {
            if let Value::Ref(Target::Text(text)) = value
                && let Some(sheet) = sheets.get(text)
            {
                *value = Value::Ref(Target::Doc(*sheet));
            }
        }
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
                Class::Set => {
                    payload::encode_set(group.fields, &SetChange { add: rows.clone(), remove: vec![] })
                }
                _ => encode(group.fields, &rows[0]),
            };
            Write { tag: *tag, bytes }
        };
        let id = OpId { replica: LINE.0, epoch: LINE.1, seq: out.len() as u64 + 1 };
        out.push(op(None, row.groups.iter().map(write).collect()));
        for step in &row.then {
            let letter = if row.kind.number == number::REPAIR { 'R' } else { 'P' };
            let number = format!("{letter}HZ1-T006-2611-{:03}", id.seq / 2 + 1);
            let number = sheet::SheetNo { sheet_no: Some(records::value::Text(number)) };
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
                    Write { tag: DECISION_TAG, bytes: decision },
                    Write { tag: sheet::SheetNo::GROUP.tag(), bytes: number },
                ],
            ));
        }
    }
    out
}

/// Returns what the ids of the sheets' file became: each sheet takes two ops.
fn sheet_ids() -> BTreeMap<String, DocId> {
    let file = format!("{}/workload/sheets.jsonl", std::env::var("FIELDBOOK_DATA").unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    let id = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    let doc = |at: u64| DocId(OpId { replica: LINE.0, epoch: LINE.1, seq: at * 2 + 1 });
    text.lines().map(id).zip((0..).map(doc)).collect()
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

/// Returns the nanoseconds that this thread was running, whatever else the machine does.
pub(crate) fn cpu_ns() -> u128 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// Returns what a phase came to and the nanoseconds it took, over `records`.
fn timed<T>(records: usize, phase: impl FnOnce() -> T) -> (T, u128) {
    let start = cpu_ns();
    let made = phase();
    (made, (cpu_ns() - start) / records as u128)
}

fn measure(name: &str, rows: &[Row]) {
    let records = rows.iter().filter(|row| row.doc.is_none()).count();
    let segments = segments(rows);
    let seqs = |segment: &[Row]| -> Vec<u64> { (1..).take(segment.len()).collect() };
    let (coded, encoding) = timed(records, || {
        segments.iter().map(|segment| encode_rows(segment, LINE, &seqs(segment))).collect::<Vec<_>>()
    });
    // Around each segment go its name, its chain value and its signature.
    let noise = |n: usize, i: u8| crate::chain::sha256(&[&n.to_le_bytes(), &[i]]);
    let frame = |(n, body): (usize, &Vec<u8>)| {
        [&[0; 20], &noise(n, 0)[..], body, &noise(n, 1), &noise(n, 2)].concat()
    };
    let frames: Vec<u8> = coded.iter().enumerate().flat_map(frame).collect();
    for level in [3, 4, 5, 6, 9] {
        let (packed, packing) = timed(records, || deflate(&frames, level, Vec::new()).unwrap());
        let mut again = Vec::with_capacity(frames.len());
        let (_, inflating) = timed(records, || {
            std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&packed[..]), &mut again)
                .unwrap()
        });
        let each = packed.len() / records;
        println!(
            "{name}, level {level}: {} B, {each} a record; deflate {packing} ns, inflate {inflating} ns a record",
            packed.len(),
        );
    }
    let (read, decoding) = timed(records, || {
        let pairs = coded.iter().zip(&segments);
        pairs.map(|(bytes, segment)| decode(bytes, LINE, &seqs(segment)).unwrap()).collect::<Vec<_>>()
    });
    assert!(read.iter().map(Vec::as_slice).eq(segments.iter().copied()));
    println!(
        "{name}: {records} records, {} ops, rows {} B, columns {} B; encode {encoding} ns, decode {decoding} ns a record",
        rows.len(),
        rows.iter().map(Row::row_bytes).sum::<usize>(),
        frames.len(),
    );
}

#[test]
fn the_workload_takes_as_few_bytes_as_promised() {
    if std::env::var_os("FIELDBOOK_DATA").is_none() {
        return;
    }
    measure("sheets", &ops("workload/sheets.jsonl", "workload-sheets.toml", &BTreeMap::new()));
    measure("vouchers", &ops("workload/vouchers.jsonl", "workload-vouchers.toml", &sheet_ids()));
}
