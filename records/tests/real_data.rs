//! The mappings on the real files they were written for.
//!
//! The extracts in `tests/data` are always read. The whole files are read where `FIELDBOOK_DATA` names their folder.

#![expect(clippy::unwrap_used, reason = "a test fails where a file cannot be read")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use records::table::mapping::Mapping;
use records::table::rows::{Rows, Wanted};
use records::time::{Day, Zone};

/// What a file came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    read: u64,
    good: u64,
    left_out: u64,
    repeated: u64,
    refused: BTreeMap<String, Vec<u64>>,
}

fn read(file: &Path, map: Option<&str>, kind: Option<&str>) -> Tally {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mappings");
    let mapping = map.map(|map| Mapping::parse(&std::fs::read_to_string(folder.join(map)).unwrap()).unwrap());
    let wanted = Wanted {
        mapping,
        kind: kind.and_then(records::kinds::by_name),
        zone: Zone::SHANGHAI,
        today: Day::from_ymd(2026, 11, 22).unwrap(),
    };
    let mut rows = Rows::open(File::open(file).unwrap(), wanted).unwrap();
    let mut tally = Tally::default();
    for row in rows.by_ref() {
        match row {
            Ok(row) => {
                tally.good += 1;
                tally.repeated += u64::from(row.ordinal > 0);
            }
            Err(refusal) => {
                let why = format!("{} {}: {}", refusal.reason.rule(), refusal.field, refusal.value);
                tally.refused.entry(why).or_default().push(refusal.line);
            }
        }
    }
    (tally.read, tally.left_out) = (rows.read, rows.left_out);
    tally
}

/// File, mapping, kind.
const WHOLE: &[(&str, &str, Option<&str>)] = &[
    ("workorders/openrepair/FixitClinic_202507.csv", "openrepair.toml", None),
    ("workorders/openrepair/RepairCafeWales_202507.csv", "openrepair.toml", None),
    ("workorders/openrepair/RepairConnects_202507.csv", "openrepair.toml", None),
    ("workorders/detroit/establishments.csv", "detroit-establishments.toml", Some("customer")),
    ("workorders/detroit/establishments.csv", "detroit-establishments.toml", Some("site")),
    ("workorders/detroit/inspections.csv", "detroit-inspections.toml", None),
    ("workorders/detroit/violations.csv.gz", "detroit-violations.toml", None),
    ("workorders/nestor/excavators.csv", "nestor-excavators.toml", None),
    ("workorders/nestor/excavators-cleaned.csv", "nestor-excavators.toml", None),
    ("expenses/birmingham_pcard_2014_2015.csv.gz", "birmingham-pcard.toml", None),
    ("expenses/sroie/keys.jsonl", "sroie-receipts.toml", None),
    ("workload/sheets.jsonl", "workload-sheets.toml", None),
    ("workload/vouchers.jsonl", "workload-vouchers.toml", None),
];

#[test]
fn every_whole_file_is_read_to_its_end() {
    let Some(folder) = std::env::var_os("FIELDBOOK_DATA").map(PathBuf::from) else {
        println!("FIELDBOOK_DATA names no folder: the whole files were not read");
        return;
    };
    for (file, map, kind) in WHOLE {
        let tally = read(&folder.join(file), Some(map), *kind);
        let (read, good, repeated, left_out) = (tally.read, tally.good, tally.repeated, tally.left_out);
        println!(
            "{file} {}: {read} read, {good} good, {repeated} repeated, {left_out} left out",
            kind.unwrap_or("")
        );
        for (why, lines) in &tally.refused {
            println!("  {} refused, {why}, first on line {}", lines.len(), lines[0]);
        }
        let refused: u64 = tally.refused.values().map(|lines| lines.len() as u64).sum();
        assert_eq!(good + left_out + refused, read);
        assert!(refused * 50 < read, "{file}: most rows of a real file are good");
    }
}

#[test]
fn the_odd_rows_of_each_source_are_read_or_named() {
    let check = |file: &str, map: &str, read_good_repeated: (u64, u64, u64), refused: &[(&str, &[u64])]| {
        let tally =
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file), Some(map), None);
        assert_eq!((tally.read, tally.good, tally.repeated), read_good_repeated, "{file} {tally:?}");
        let found: Vec<(&str, &[u64])> =
            tally.refused.iter().map(|(why, lines)| (why.as_str(), lines.as_slice())).collect();
        assert_eq!(found, refused, "{file}");
    };
    check("openrepair.csv", "openrepair.toml", (29, 29, 0), &[]);
    check("violations.csv", "detroit-violations.toml", (22, 22, 5), &[]);
    check("excavators.csv", "nestor-excavators.toml", (32, 31, 3), &[("I-07 cost: PM01", &[2])]);
    check("purchase-cards.csv", "birmingham-pcard.toml", (27, 27, 4), &[]);
    check("receipts.jsonl", "sroie-receipts.toml", (23, 22, 0), &[("I-05 amount: ", &[7])]);
    check("sheets.jsonl", "workload-sheets.toml", (14, 14, 0), &[]);
    check("vouchers.jsonl", "workload-vouchers.toml", (12, 12, 0), &[]);
}

#[test]
fn every_sample_is_read_whole() {
    let check = |file: &str, map: Option<&str>, kind: Option<&str>, good: u64| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(file);
        let tally = read(&file, map, kind);
        assert_eq!((tally.good, tally.refused), (good, BTreeMap::new()), "{}", file.display());
    };
    check("org.csv", None, Some("org"), 5);
    check("staff.csv", None, Some("staff"), 12);
    check("accounts.csv", None, Some("account"), 1);
    check("customers.csv", None, Some("customer"), 6);
    check("sites.csv", None, Some("site"), 7);
    check("assets.csv", None, Some("asset"), 8);
    check("jobs.csv", None, Some("job"), 8);
    check("repairs.csv", Some("openrepair.toml"), None, 300);
    check("establishments.csv", Some("detroit-establishments.toml"), Some("customer"), 60);
    check("establishments.csv", Some("detroit-establishments.toml"), Some("site"), 60);
    check("inspections.csv", Some("detroit-inspections.toml"), None, 150);
    check("receipts.jsonl", Some("sroie-receipts.toml"), None, 40);
    check("sheets.jsonl", Some("workload-sheets.toml"), None, 120);
    check("expenses/vouchers.jsonl", Some("workload-vouchers.toml"), None, 35);
    check("expenses/sheets.jsonl", Some("workload-sheets.toml"), None, 22);
}
