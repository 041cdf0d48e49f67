//! What holds for every kind and any bytes.

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert_eq, proptest};

use crate::kinds::voucher;
use crate::schema::{Class, Group, Kind, Tag, Typed};
use crate::table::export::{Export, Form, Line, Words};
use crate::table::mapping::Mapping;
use crate::table::rows::{Row, Rows, Values, Wanted};
use crate::time::{Day, Ts, Zone};
use crate::value::Value;
use crate::value::tests::any_row;

type Groups = Vec<(Tag, Vec<Values>)>;

fn any_kind() -> impl Strategy<Value = (&'static Kind, Groups)> {
    (0..crate::kinds::KINDS.len()).prop_flat_map(|at| {
        let kind = crate::kinds::KINDS[at];
        let groups = kind.groups.iter().filter(|group| group.class != Class::Decision);
        let groups: Vec<_> = groups.map(|group| any_group(group)).collect();
        (Just(kind), groups).prop_map(|(kind, mut groups)| {
            if kind.number == crate::kinds::number::VOUCHER {
                acceptable(&mut groups);
            }
            // A row without any value is not written, a group without rows neither.
            let full = |row: &Values| row.iter().any(Option::is_some);
            let rows =
                |(tag, rows): (Tag, Vec<Values>)| (tag, rows.into_iter().filter(full).collect::<Vec<_>>());
            let groups = groups.into_iter().map(rows);
            (kind, groups.filter(|(_, rows)| !rows.is_empty()).collect())
        })
    })
}

/// An import takes no voucher that a person could not save, so amount, day and origin stand.
fn acceptable(groups: &mut Groups) {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    for (tag, rows) in groups {
        let stands = [
            (voucher::Amount::GROUP.tag(), vec![Some(Value::Int(-3550)), text("EUR"), None]),
            (voucher::Dated::GROUP.tag(), vec![Some(Value::Int(20_000))]),
            (voucher::VoucherOrigin::GROUP.tag(), vec![text("card"), text("17"), None, None]),
        ];
        if let Some((_, row)) = stands.into_iter().find(|(own, _)| own == tag) {
            *rows = vec![row];
        }
    }
}

fn any_group(group: &'static Group) -> impl Strategy<Value = (Tag, Vec<Values>)> {
    let most = if matches!(group.class, Class::Ledger | Class::Set) { 3 } else { 1 };
    prop::collection::vec(any_row(group.fields), 0..=most).prop_map(|rows| (group.tag(), rows))
}

fn written(kind: &'static Kind, groups: &Groups, form: Form, words: Words) -> Vec<u8> {
    let mut export = Export::begin(Vec::new(), kind, form, words, Zone::SHANGHAI).unwrap();
    let line = Line { id: "7.9.3", code: "AB12CD34", state: Some(0), author: "E01", created: Ts(0), groups };
    export.line(&line).unwrap();
    export.end().unwrap()
}

fn read(kind: Option<&'static Kind>, mapping: Option<Mapping>, file: &[u8]) -> Vec<Row> {
    let wanted = Wanted { mapping, kind, zone: Zone::SHANGHAI, today: Day(20_000) };
    Rows::open(file, wanted).map(|rows| rows.flatten().collect()).unwrap_or_default()
}

fn comes_back(kind: &'static Kind, groups: &Groups, form: Form, words: Words) -> Result<(), TestCaseError> {
    let file = written(kind, groups, form, words);
    let rows = read(Some(kind), None, &file);
    let back = rows.into_iter().next().map(|row| row.groups).unwrap_or_default();
    prop_assert_eq!(&back, groups, "{} {:?}", kind.name, String::from_utf8_lossy(&file));
    Ok(())
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    #[test]
    fn what_an_export_wrote_an_import_reads((kind, groups) in any_kind()) {
        for words in [Words::Names, Words::Zh, Words::En] {
            comes_back(kind, &groups, Form::Csv { mark: true }, words)?;
            comes_back(kind, &groups, Form::JsonLines, words)?;
        }
    }

    #[test]
    fn a_workbook_takes_any_record((kind, groups) in any_kind()) {
        let file = written(kind, &groups, Form::Xlsx, Words::Zh);
        prop_assert_eq!(&file[..4], b"PK\x03\x04");
    }

    #[test]
    fn any_bytes_give_rows_or_reasons(bytes in prop::collection::vec(any::<u8>(), 0..400), start in 0..6_usize) {
        let starts: [&[u8]; 6] = [b"", b"what,day\n", b"{\"a\":", b"\x1f\x8b\x08\x00", b"\xff\xfe", b"\xef\xbb\xbf{"];
        let file = [starts[start], &bytes].concat();
        let map = "kind = \"repair\"\n[field]\nproblem = \"what\"\narrived = { from = \"day\", dates = [\"%d%m%y\"] }\n";
        read(crate::kinds::by_name("repair"), None, &file);
        read(None, Some(Mapping::parse(map).unwrap()), &file);
    }

    #[test]
    fn any_cell_of_a_mapped_file_gives_a_row_or_a_reason(cell in "\\PC{0,12}|[-0-9./: ,]{0,20}|[0-9]{1,40}") {
        let map = "kind = \"repair\"\n[field]\nproblem = \"c\"\narrived = { from = \"c\", dates = [\"%d/%m/%y %H\", \"%j%Y\"] }\n\
            left = { from = \"c\", epoch = \"spreadsheet\" }\ncost = { from = \"c\", strip = [\"-\", \"0\"], times = 4294967295 }\n\
            charge = { from = \"c\", over = 7, round = true }\nrunhours = \"c\"\nage = \"c\"\ndowntime_min = \"c\"\nfix = \"c\"\n";
        for line in map.lines().skip(2) {
            let one = format!("kind = \"repair\"\n[field]\n{line}\n");
            let file = serde_json::json!({ "c": cell }).to_string();
            read(None, Some(Mapping::parse(&one).unwrap()), file.as_bytes());
        }
    }

    #[test]
    fn any_mapping_is_read_or_its_line_named(text in "\\PC{0,60}", cut in 0..900_usize) {
        let good = include_str!("../../../mappings/workload-sheets.toml");
        let head: String = good.chars().take(cut).collect();
        let broken = format!("{head}{text}");
        if let Err(error) = Mapping::parse(&broken) {
            proptest::prop_assert!((1..=broken.lines().count() + 1).contains(&error.line));
        }
    }
}
