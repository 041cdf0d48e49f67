//! Files in, rows out: the odd ones.

use crate::money::FenError;
use crate::table::export::{Export, Form, Line, Words};
use crate::table::mapping::Mapping;
use crate::table::refusal::{Reason, Refusal};
use crate::table::rows::{Row, Rows, Wanted};
use crate::time::{Day, TimeError, Ts, Zone};
use crate::value::Value;
use crate::value::text::ValueError;

fn wanted(kind: &str, map: Option<&str>) -> Wanted {
    let kind = crate::kinds::by_name(kind);
    let mapping = map.map(|text| Mapping::parse(text).unwrap());
    Wanted { mapping, kind, zone: Zone::SHANGHAI, today: Day::from_ymd(2026, 11, 22).unwrap() }
}

fn read(file: &[u8], kind: &str, map: Option<&str>) -> Vec<Result<Row, Refusal>> {
    Rows::open(file, wanted(kind, map)).unwrap().collect()
}

fn reasons(rows: &[Result<Row, Refusal>]) -> Vec<(u64, &str, &Reason)> {
    rows.iter().filter_map(|row| row.as_ref().err()).map(|r| (r.line, r.field.as_str(), &r.reason)).collect()
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
    let texts: Vec<_> = first.groups.iter().flat_map(|(_, rows)| rows).flatten().flatten().collect();
    assert!(texts.contains(&&Value::Text("two\nlines".to_owned())), "{texts:?}");
    assert!(texts.contains(&&Value::Int(123_450)));
    assert!(texts.contains(&&Value::Text("extra: kept".to_owned())));
    assert_eq!(rows[1].as_ref().unwrap().line, 4);
    assert_eq!(rows[1].as_ref().unwrap().groups.len(), 4, "an entry of constants alone is none");
    let outcome = Reason::Value(ValueError::NotInList { list: &crate::kinds::sheet::Outcome::CHOICES });
    assert_eq!(
        reasons(&rows),
        [
            (5, "", &Reason::Columns { expected: 8, found: 2 }),
            (6, "arrived", &Reason::Value(ValueError::Time(TimeError::NotADay))),
            (7, "arrived", &Reason::InFuture),
            (8, "outcome", &outcome),
            (9, "problem", &Reason::Missing),
            (10, "charge", &Reason::Value(ValueError::Amount(FenError::TooFine))),
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
    for other in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes), gzip, mark, windows, gb] {
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
    let counts: Vec<usize> = rows[0].as_ref().unwrap().groups.iter().map(|(_, rows)| rows.len()).collect();
    assert_eq!(counts, [1, 2, 2, 1]);
    let reasons = reasons(&rows);
    assert_eq!(
        reasons,
        [
            (3, "photo.file", &Reason::Value(ValueError::NotAHash)),
            (4, "", &Reason::NotAnObject),
            (5, "", &Reason::NotAnObject)
        ]
    );
}

#[test]
fn equal_rows_have_keys_of_their_own_in_any_order_of_columns() {
    let map = "kind = \"repair\"\n[field]\nproblem = \"a\"\nfound = \"b\"\n";
    let keys = |file: &str| -> Vec<[u8; 16]> {
        read(file.as_bytes(), "repair", Some(map)).into_iter().map(|row| row.unwrap().key).collect()
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
    assert_eq!(error(b"no,what\n", Some(REPAIRS)), "the file has no column day, more, p1, price, status");
    assert_eq!(error(b"x,y\n1,2\n", None), "no column is a field of repair");
    assert_eq!(error(b" [{}]", None), "this is one JSON list; one object on each line is read");
    assert_eq!(error(b"a,a\n", None), "two columns are named a");
}

#[test]
fn a_quote_that_never_closes_ends_the_file_and_takes_no_memory() {
    let file = [b"code,name\nC1,\"open".as_slice(), &vec![b'x'; 4 * crate::table::source::RECORD_BYTES_MAX]]
        .concat();
    let rows = read(&file, "customer", None);
    assert_eq!(reasons(&rows), [(2, "", &Reason::TooManyBytes)]);
    let line = [b"{\"a\":\"".as_slice(), &vec![b'x'; 4 * crate::table::source::RECORD_BYTES_MAX]].concat();
    assert_eq!(read(&line, "customer", None).len(), 1);
}

fn voucher(seller: &str) -> Vec<(crate::schema::Tag, Vec<crate::value::Row>)> {
    let file = serde_json::json!({
        "amount": "-35.50", "date": "2026-11-22", "seller": seller, "qr_raw": "01,32,,25152000009858579102",
        "category": "餐费", "source": "card", "paste_index": 3, "tag[]": ["急", "=1"],
    });
    let rows = read(file.to_string().as_bytes(), "voucher", None);
    rows.into_iter().next().unwrap().unwrap().groups
}

fn exported(form: Form, words: Words) -> Vec<u8> {
    let kind = crate::kinds::by_name("voucher").unwrap();
    let mut export = Export::begin(Vec::new(), kind, form, words, Zone::SHANGHAI).unwrap();
    for seller in ["=cmd|' /C calc'!A0", "-3.20", "杭州, \"老\"店", "'=quoted"] {
        let groups = voucher(seller);
        let line = Line {
            id: "7.9.3",
            code: "AB12CD34",
            state: Some(0),
            author: "E01",
            created: Ts(0),
            groups: &groups,
        };
        export.line(&line).unwrap();
    }
    export.end().unwrap()
}

/// The columns of a CSV text that are not empty in its second row, without the lists.
fn columns(csv: &str) -> Vec<Vec<String>> {
    let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = lines.records().map(Result::unwrap).collect();
    let full = |at: &usize| !rows[1][*at].is_empty();
    rows.iter().map(|row| (0..row.len()).filter(full).map(|at| row[at].to_owned()).collect()).collect()
}

#[test]
fn a_csv_export_is_read_by_people_and_calculates_nothing() {
    let file = String::from_utf8(exported(Form::Csv { mark: true }, Words::Zh)).unwrap();
    let rows = columns(file.strip_prefix('\u{feff}').unwrap());
    assert_eq!(rows[0][..6], ["标识", "短码", "状态", "作者", "创建时间", "金额（含税）"]);
    let tail = |row: &[String]| row[4..9].join(" | ");
    assert_eq!(tail(&rows[0]), "创建时间 | 金额（含税） | 日期 | 费用类别 | 销售方");
    assert_eq!(
        tail(&rows[1]),
        "1970-01-01T08:00:00+08:00 | -35.50 | 2026-11-22 | 餐费 | '=cmd|' /C calc'!A0"
    );
    assert!(tail(&rows[2]).ends_with("| -3.20"));
    assert!(tail(&rows[3]).ends_with("| 杭州, \"老\"店"));
    assert!(tail(&rows[4]).ends_with("| ''=quoted"));
    assert_eq!(rows[1][11], r#"[{"tag":"急"},{"tag":"=1"}]"#);
}

#[test]
fn a_json_export_has_money_twice_and_lists_as_lists() {
    let file = String::from_utf8(exported(Form::JsonLines, Words::Names)).unwrap();
    let first: serde_json::Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    assert_eq!(first["amount"], "-35.50");
    assert_eq!(first["amount_fen"], -3550);
    assert_eq!(first["category"], "meal");
    assert_eq!(first["tag[]"][0]["tag"], "急");
    assert_eq!(first["id"], "7.9.3");
    assert!(first.get("buyer_name").is_none());
}

#[test]
fn a_voucher_of_zero_is_refused_and_a_refund_is_not() {
    let file = "amount,date,source\n0.00,2026-11-22,card\n-1.00,2026-11-22,card\n";
    let rows = read(file.as_bytes(), "voucher", None);
    let refusals: Vec<_> = rows.iter().filter_map(|row| row.as_ref().err()).collect();
    let facts: Vec<_> =
        refusals.iter().map(|r| (r.line, r.reason.rule(), r.field.as_str(), r.value.as_str())).collect();
    assert_eq!(facts, [(2, "V-05", "amount", "0.00")]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn the_imports_of_master_data_need_no_mapping() {
    let check = |kind: &str, file: &str, groups: usize| {
        let rows = read(file.as_bytes(), kind, None);
        assert_eq!(rows[0].as_ref().map(|row| row.groups.len()), Ok(groups), "{kind}");
        assert_eq!(rows.len(), 1);
    };
    check("org", "code,name,kind,parent\nHZ,杭州分公司,branch,CN\n", 2);
    check("staff", "code,name,unit,roles\nE01,王芳,HZ,engineer;supervisor\n", 3);
    check("customer", "code,name,kind\nC1,机电公司,company\n", 2);
    check("site", "code,customer,name,address\nS1,C1,一号厂房,文三路1号\n", 4);
    check("asset", "serial,site,model,category\nA-1,S1,X200,空压机\n", 3);
    let jobs = "type,customer,site,asset,assignee,planned_from,planned_to,instructions\n\
        repair,C1,S1,A-1,E01,2026-11-23 09:00,2026-11-23,压力不足\n";
    check("job", jobs, 5);
}

#[test]
fn what_is_wrong_with_a_mapping_is_named_by_line_and_key() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Mapping::parse(text).unwrap_err().to_string(), expected, "{text}");
    };
    check("key = [\"a\"]\n", "line 1, kind: a kind is missing");
    check("kind = \"robot\"\n", "line 1, kind: no kind of that name");
    check("kind = \"repair\"\n[field]\ncolour = \"c\"\n", "line 3, colour: repair has no such field");
    check("kind = \"repair\"\n[field]\nproblem = { form = \"c\" }\n", "line 3, form: no such key here");
    check(
        "kind = \"repair\"\n[field]\nproblem = { join = \"c\" }\n",
        "line 3, problem: from, first, is or rest is expected",
    );
    check("kind = \"repair\"\n\nthen = [\"seel\"]\n", "line 3, seel: repair has no such step");
    check("kind = \"repair\"\ndates = [\"%Q\"]\n", "line 2, dates: a shape like %d/%m/%Y is expected");
    check("kind = \"repair\"\n[[list.parts]]\n", "line 2, parts: repair has no such list");
    let wrong = "kind = \"repair\"\n[field]\noutcome = { from = \"c\", words = { a = \"mended\" } }\n";
    check(wrong, "line 3, outcome: the field does not take this value: none of the list outcome");
    check("zone = \"east\"\nkind = \"repair\"\n", "line 1, zone: an offset like \"+08:00\" is expected");
    assert_eq!(Mapping::parse("kind = \"repair\n").unwrap_err().line, 1);
}

#[test]
fn numbers_of_other_houses_are_read_as_the_mapping_says() {
    let map = "kind = \"repair\"\n[field]\ncost = { from = \"c\", strip = [\"RM\", \"€\", \"元\"], thousands = \". '\", decimal = \",\" }\n";
    let check = |cell: &str, expected: Option<i64>| {
        let rows = read(serde_json::json!({ "c": cell }).to_string().as_bytes(), "repair", Some(map));
        let found = rows[0].as_ref().ok().map(|row| row.groups[0].1[0][0].clone());
        assert_eq!(found, expected.map(|fen| Some(Value::Int(fen))), "{cell}");
    };
    check("1.234,50 €", Some(123_450));
    check("RM1'234", Some(123_400));
    check("(12,5)", Some(-1250));
    check("12,50-", Some(-1250));
    check("RM-3,20", Some(-320));
    check("-3,20元", Some(-320));
    for bad in ["--3", "-3-", "(-3)", "RM", "3,20 USD", "3,2,0", "((3))"] {
        check(bad, None);
    }
}

#[test]
fn days_and_instants_are_read_in_the_shapes_that_the_mapping_names() {
    let map = |rest: &str| {
        format!("kind = \"repair\"\nzone = \"+01:00\"\n[field]\narrived = {{ from = \"c\", {rest} }}\n")
    };
    let check = |rest: &str, cell: &str, expected: Option<&str>| {
        let rows = read(serde_json::json!({ "c": cell }).to_string().as_bytes(), "repair", Some(&map(rest)));
        let found = rows[0].as_ref().ok().map(|row| row.groups[0].1[0][0].clone());
        let expected = expected.map(|text| Some(Value::Int(Ts::parse(text, Zone::SHANGHAI).unwrap().0)));
        assert_eq!(found, expected, "{rest} {cell}");
    };
    let shapes = "dates = [\"%d/%m/%Y\", \"%d/%m/%y\", \"%d %b %Y %H:%M\"], clock = \"09:30\"";
    check(shapes, "03/04/2018", Some("2018-04-03T09:30:00+01:00"));
    check(shapes, "03/04/18", Some("2018-04-03T09:30:00+01:00"));
    check(shapes, "3 APR 2018 14:05", Some("2018-04-03T14:05:00+01:00"));
    check(shapes, "2018-04-03", Some("2018-04-03T09:30:00+01:00"));
    check(shapes, "2018-04-03T14:05:00Z", Some("2018-04-03T14:05:00+00:00"));
    check("epoch = \"seconds\"", "1522760700", Some("2018-04-03T14:05:00+01:00"));
    check("epoch = \"spreadsheet\"", "43193.5868055556", Some("2018-04-03T14:05:00+01:00"));
    for bad in ["31/02/2018", "03/04/0018", "????", "2018", "03-04-2018"] {
        check(shapes, bad, None);
    }
    check("epoch = \"millis\"", "99999999999999999", None);
}

#[test]
fn a_row_is_named_by_the_line_on_which_it_begins() {
    let check = |file: &str, expected: &[u64]| {
        let lines = |file: &str| -> Vec<u64> {
            let rows = read(file.as_bytes(), "customer", None);
            rows.iter().map(|row| row.as_ref().map_or_else(|refusal| refusal.line, |row| row.line)).collect()
        };
        assert_eq!(lines(file), expected, "{file:?}");
        assert_eq!(lines(&file.replace('\n', "\r\n")), expected, "{file:?} with carriage returns");
    };
    check("code,name\nC1,a\nC2,b\n", &[2, 3]);
    check("code,name\nC1,a\nC2,b", &[2, 3]);
    check("\n\ncode,name\n\nC1,a\n\n\nC2,b,\nC3,c", &[5, 8, 9]);
    check("code,name\n\"C1\",\"a\nb\n\"\nC2,b\n\"C3\",\"c\nd\"", &[2, 5, 6]);
    check("{\"code\":\"C1\"}\n\n{\"code\":\"C2\"}", &[1, 3]);
}

#[test]
fn lines_that_an_open_quote_took_in_do_not_pass_as_text() {
    let check = |file: &str, expected: &[(u64, &str, &Reason)]| {
        let rows = read(file.as_bytes(), "customer", None);
        assert_eq!(reasons(&rows), expected, "{file:?}");
    };
    check("code,name\nC1,\"a\nC2,b\nC3,c\n", &[(2, "", &Reason::TooManyBytes)]);
    check("code,name\nC1,\"a\nC2,b", &[(2, "", &Reason::TooManyBytes)]);
    check("code,name\r\nC0,x\r\nC1,\"a\r\nC2,b\r\n", &[(3, "", &Reason::TooManyBytes)]);
    check("code,name\nC1,\"a\nC2,b\"", &[]);
    check("code,name\r\nC1,\"a\r\n\"\r\n", &[]);
}

#[test]
fn a_refused_value_steers_no_terminal() {
    let rows = read("code,name\nC1,\u{1b}[2Jx\n".as_bytes(), "customer", None);
    let refusal = rows[0].as_ref().unwrap_err();
    assert_eq!((refusal.reason.rule(), refusal.value.as_str()), ("I-11", "\u{fffd}[2Jx"));
}
