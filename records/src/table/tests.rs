//! Files in, rows out: the odd ones.

use crate::money::FenError;
use crate::table::mapping::Mapping;
use crate::table::refusal::{Reason, Refusal};
use crate::table::rows::{Row, Rows, Wanted};
use crate::time::{Day, TimeError, Zone};
use crate::value::Value;
use crate::value::text::ValueError;

fn wanted(kind: &str, map: Option<&str>) -> Wanted {
    let kind = crate::kinds::by_name(kind);
    let mapping = map.map(|text| Mapping::parse(text).unwrap());
    Wanted {
        mapping,
        kind,
        zone: Zone::SHANGHAI,
        today: Day::from_ymd(2026, 11, 22).unwrap(),
    }
}

fn read(file: &[u8], kind: &str, map: Option<&str>) -> Vec<Result<Row, Refusal>> {
    Rows::open(file, wanted(kind, map)).unwrap().collect()
}

fn reasons(rows: &[Result<Row, Refusal>]) -> Vec<(u64, &str, &Reason)> {
    rows.iter()
        .filter_map(|row| row.as_ref().err())
        .map(|r| (r.line, r.field.as_str(), &r.reason))
        .collect()
}

const REPAIRS: &str = r#"
kind = "repair"
key = ["no"]
empty = ["NA", "?"]
dates = ["%d/%m/%Y", "%d.%m.%y"]
[field]
problem = { from = ["what", "more"], join = ": ", required = true }
arrived = { from = "day", clock = "09:00", past = true }
outcome = { from = "status", words = { Fixed = "fixed", "End of life" = "end_of_life" } }
charge = { from = "price", strip = ["RM", "$"], thousands = "," }
[[list.note]]
field.text = { rest = true }
[[list.part]]
field.part = "p1"
field.qty = { is = "1" }
"#;

const FILE: &str = "no,what,more,day,status,price,p1,extra\n\
    1,\"two\nlines\",NA,31/12/2025,Fixed,\"RM 1,234.50\",SP-1,kept\n\
    2,cracked,lid,01.02.26,Fixed,$5,,\n\
    3,short row\n\
    4,odd,,2025-02-30,Fixed,1,,\n\
    5,odd,,22/11/2027,Fixed,1,,\n\
    6,odd,,,Broken,1,,\n\
    7,?,,,Fixed,1,,\n\
    8,odd,,,Fixed,1.234,,\n";

#[test]
fn a_mapped_file_gives_its_good_rows_and_names_each_bad_one() {
    let rows = read(FILE.as_bytes(), "repair", Some(REPAIRS));
    let first = rows[0].as_ref().unwrap();
    let texts: Vec<_> = first
        .groups
        .iter()
        .flat_map(|(_, rows)| rows)
        .flatten()
        .flatten()
        .collect();
    assert!(
        texts.contains(&&Value::Text("two\nlines".to_owned())),
        "{texts:?}"
    );
    assert!(texts.contains(&&Value::Int(123_450)));
    assert!(texts.contains(&&Value::Text("extra: kept".to_owned())));
    assert_eq!(rows[1].as_ref().unwrap().line, 4);
    assert_eq!(
        rows[1].as_ref().unwrap().groups.len(),
        4,
        "an entry of constants alone is none"
    );
    let outcome = Reason::Value(ValueError::NotInList {
        list: &crate::kinds::sheet::Outcome::CHOICES,
    });
    assert_eq!(
        reasons(&rows),
        [
            (
                5,
                "",
                &Reason::Columns {
                    expected: 8,
                    found: 2
                }
            ),
            (6, "arrived", &Reason::Value(ValueError::Time(TimeError::NotADay))),
            (7, "arrived", &Reason::InFuture),
            (8, "outcome", &outcome),
            (9, "problem", &Reason::Missing),
            (
                10,
                "charge",
                &Reason::Value(ValueError::Amount(FenError::TooFine))
            ),
        ]
    );
}

#[test]
fn every_encoding_of_a_spreadsheet_reads_the_same() {
    let text = "code,name,kind\nC1,杭州机电有限公司,单位\nC2,王芳,person\n";
    let plain = read(text.as_bytes(), "customer", None);
    assert!(plain.iter().all(Result::is_ok), "{plain:?}");
    let utf16 = |swap: fn(u16) -> [u8; 2]| {
        "\u{feff}"
            .encode_utf16()
            .chain(text.replace(',', "\t").encode_utf16())
            .flat_map(swap)
            .collect::<Vec<u8>>()
    };
    let gzip = {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let windows = text.replace('\n', "\r\n").into_bytes();
    let gb = encoding_rs::GB18030.encode(text).0.into_owned();
    for other in [
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        gzip,
        mark,
        windows,
        gb,
    ] {
        assert_eq!(read(&other, "customer", None), plain);
    }
}

#[test]
fn json_lines_reach_into_lists_and_objects() {
    let map = "kind = \"repair\"\nkey = \"id\"\n[field]\nfix = { from = \"gps\" }\npng = \"sign\"\n\
        [[list.photo]]\neach = \"photos\"\nfield.file = \".\"\n\
        [[list.answer]]\neach = \"check\"\nfield.item = \"@name\"\nfield.answer = { from = \".\", words = { 1 = \"yes\", 0 = \"no\" } }\n";
    let file = "{\"id\":\"a\",\"gps\":[30.18,120.2],\"sign\":\"96f3\",\"photos\":[\"00ff\",\"01\"],\"check\":{\"无漏液\":1,\"温度正常\":0}}\n\
        \n{\"id\":\"b\",\"photos\":[\"zz\"]}\n[1]\n{\"id\":";
    let rows = read(file.as_bytes(), "repair", Some(map));
    let counts: Vec<usize> = rows[0]
        .as_ref()
        .unwrap()
        .groups
        .iter()
        .map(|(_, rows)| rows.len())
        .collect();
    assert_eq!(counts, [1, 2, 2, 1]);
    let reasons = reasons(&rows);
    assert_eq!(
        reasons,
        [
            (3, "file", &Reason::Value(ValueError::NotAHash)),
            (4, "", &Reason::NotAnObject),
            (5, "", &Reason::NotAnObject)
        ]
    );
}

#[test]
fn equal_rows_have_keys_of_their_own_in_any_order_of_columns() {
    let map = "kind = \"repair\"\n[field]\nproblem = \"a\"\nfound = \"b\"\n";
    let keys = |file: &str| -> Vec<[u8; 16]> {
        read(file.as_bytes(), "repair", Some(map))
            .into_iter()
            .map(|row| row.unwrap().key)
            .collect()
    };
    let there = keys("a,b\n1,2\n1,2\n1,3\n");
    assert_eq!(there, keys("b,a\n2,1\n2,1\n3,1\n"));
    assert_eq!(there.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
}

#[test]
fn a_file_that_is_no_table_says_so() {
    let error =
        |file: &[u8], map: Option<&str>| Rows::open(file, wanted("repair", map)).err().unwrap().to_string();
    assert_eq!(error(b"", None), "the file is empty");
    assert_eq!(
        error(b"PK\x03\x04...", None),
        "this is a spreadsheet or an archive, not a text table; save it as CSV"
    );
    assert_eq!(
        error(b"no,what\n", Some(REPAIRS)),
        "the file has no column day, more, p1, price, status"
    );
    assert_eq!(error(b"x,y\n1,2\n", None), "no column is a field of repair");
    assert_eq!(error(b"a,a\n", None), "two columns are named a");
}

#[test]
fn a_quote_that_never_closes_ends_the_file_and_takes_no_memory() {
    let file = [
        b"code,name\nC1,\"open".as_slice(),
        &vec![b'x'; 4 * crate::table::source::RECORD_BYTES_MAX],
    ]
    .concat();
    let rows = read(&file, "customer", None);
    assert_eq!(
        reasons(&rows),
        [(
            2,
            "",
            &Reason::TooManyBytes {
                max: crate::table::source::RECORD_BYTES_MAX
            }
        )]
    );
    let line = [
        b"{\"a\":\"".as_slice(),
        &vec![b'x'; 4 * crate::table::source::RECORD_BYTES_MAX],
    ]
    .concat();
    assert_eq!(read(&line, "customer", None).len(), 1);
}
