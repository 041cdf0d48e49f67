//! What both ends do to a segment and to a document: encode, decode, sign, open, merge.
//!
//! `cargo bench -p sync-protocol --bench wire` tells times. `… -- count` names what is measured and
//! `… -- count NAME N` does it N times and nothing else, for `cargo xtask count`.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write as _};

use criterion::Criterion;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use records::id::{DocId, Epoch, OpId, Replica};
use records::schema::Class;
use records::table::mapping::Mapping;
use records::table::rows::{Rows, Wanted};
use records::time::{Day, Zone};
use sync_protocol::chain::{Line, Link};
use sync_protocol::columns::{decode, encode};
use sync_protocol::merge::{Judged, Lines, fold};
use sync_protocol::op::{Row, Write};
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;

/// The samples of the project.
const SHEETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sheets.jsonl");
const MAPPING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../mappings/workload-sheets.toml");
const LINE: Line = (Replica(7), Epoch(3_061_842_211));
/// As bodies are deflated.
const DEFLATE_LEVEL: u32 = 6;
/// Devices that edit one document without knowing of each other, and how often each.
const DEVICES: u32 = 4;
const EDITS: u64 = 6;

/// Something that is measured.
type Act = fn(&World);

/// All of them, by name.
const MEASURED: &[(&str, Act)] = &[
    ("wire/encode 120 sheets", |world| drop(black_box(encode(&world.rows, LINE, &world.seqs)))),
    ("wire/decode 120 sheets", |world| drop(black_box(decode(&world.coded, LINE, &world.seqs)))),
    ("wire/encode and deflate 120 sheets", |world| {
        drop(black_box(deflated(&encode(&world.rows, LINE, &world.seqs))));
    }),
    ("wire/inflate and decode 120 sheets", |world| {
        let mut coded = Vec::new();
        drop(black_box(DeflateDecoder::new(&*world.deflated).read_to_end(&mut coded)));
        drop(black_box(decode(&coded, LINE, &world.seqs)));
    }),
    ("wire/cut and sign 120 sheets", |world| drop(black_box(cut(&world.signer, &world.run())))),
    ("wire/verify and open 120 sheets", |world| {
        for segment in &world.segments {
            let known = segment.verify(&world.signer.public());
            drop(black_box((known, segment.open(Link::ROOT))));
        }
    }),
    ("merge/25 ops of 5 devices, in conflict", |world| drop(black_box(fold(&world.ops, &Lines::new())))),
];

/// What the measured functions are given.
struct World {
    rows: Vec<Row>,
    seqs: Vec<u64>,
    coded: Vec<u8>,
    deflated: Vec<u8>,
    signer: Signer,
    segments: Vec<Segment>,
    ops: Vec<Judged>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["count"] => MEASURED.iter().for_each(|(name, _)| println!("{name}")),
        ["count", name, times] => {
            let (world, times) = (World::made()?, times.parse::<u32>()?);
            for (_, act) in MEASURED.iter().filter(|(measured, _)| measured == name) {
                (0..times).for_each(|_| act(&world));
            }
        }
        _ => {
            let (world, mut criterion) = (World::made()?, Criterion::default().configure_from_args());
            for (name, act) in MEASURED {
                criterion.bench_function(name, |bencher| bencher.iter(|| act(black_box(&world))));
            }
            criterion.final_summary();
        }
    }
    Ok(())
}

impl World {
    fn made() -> Result<Self, Box<dyn Error>> {
        let rows = rows()?;
        let seqs: Vec<u64> = (1..).take(rows.len()).collect();
        let coded = encode(&rows, LINE, &seqs);
        if decode(&coded, LINE, &seqs)? != rows {
            return Err("what was encoded does not decode".into());
        }
        let deflated = deflated(&coded)?;
        let signer = Signer::from_seed(&[1; 32])?;
        let ops = ops(rows.first().ok_or("no sheets")?);
        if fold(&ops, &Lines::new())?.conflicts().is_empty() {
            return Err("nothing is in conflict".into());
        }
        let mut world = Self { rows, seqs, coded, deflated, signer, segments: Vec::new(), ops };
        world.segments = cut(&world.signer, &world.run())?;
        if world.segments.len() != 1 {
            return Err("the samples are more than a segment".into());
        }
        Ok(world)
    }

    fn run(&self) -> Run<'_> {
        Run { line: LINE, first: 1, before: Link::ROOT, parent: None, test_clock: false, rows: &self.rows }
    }
}

/// Returns bytes as a body deflates them.
fn deflated(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(DEFLATE_LEVEL));
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Returns an op for each sheet of the samples, as the importer makes it.
fn rows() -> Result<Vec<Row>, Box<dyn Error>> {
    let wanted = Wanted {
        mapping: Some(Mapping::parse(&std::fs::read_to_string(MAPPING)?)?),
        kind: None,
        zone: Zone::SHANGHAI,
        today: Day(20_800),
    };
    let made = |(n, row): (u64, records::table::rows::Row)| {
        let mut writes: Vec<Write> =
            row.payloads().into_iter().map(|(tag, bytes)| Write { tag, bytes }).collect();
        writes.sort_by_key(|write| write.tag);
        Row {
            kind: row.kind.number,
            schema: row.kind.schema,
            doc: None,
            stamp: Stamp { ms: 1_795_000_000_000 + n * 61_000, counter: 0 },
            seen: Vec::new(),
            forked_from: None,
            writes,
        }
    };
    Ok((0..).zip(Rows::open(File::open(SHEETS)?, wanted)?.filter_map(Result::ok)).map(made).collect())
}

/// Returns a sheet's creation and edits of its contested groups by devices that do not know of each other.
fn ops(sheet: &Row) -> Vec<Judged> {
    let id = OpId { replica: LINE.0, epoch: LINE.1, seq: 1 };
    let contested: Vec<&Write> =
        sheet.writes.iter().filter(|write| write.tag.class() == Some(Class::Contested)).collect();
    let mut ops = vec![Judged { id, row: sheet.clone(), judgement: None }];
    for device in 1..=DEVICES {
        for seq in 1..=EDITS {
            let stamp = Stamp { ms: sheet.stamp.ms + seq * 1000 + u64::from(device), counter: 0 };
            let mut writes: Vec<Write> = contested.iter().map(|write| (*write).clone()).collect();
            // Another value, as long as the one before.
            for byte in writes.iter_mut().filter_map(|write| write.bytes.last_mut()) {
                *byte = byte.wrapping_add(u8::try_from(device).unwrap_or(1));
            }
            let row = Row { doc: Some(DocId(id)), stamp, writes, ..sheet.clone() };
            let id = OpId { replica: Replica(LINE.0.0 + device), epoch: LINE.1, seq };
            ops.push(Judged { id, row, judgement: None });
        }
    }
    ops
}
