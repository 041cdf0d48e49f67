//! Lists as CSV and as workbooks.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use papers::lists::fines::{FineRow, FinesList};
use papers::lists::gaps::{Gap, GapList, GapRow};
use papers::lists::manifest::{
    DetailLine, DetailRow, ManifestDetail, ManifestSummary, NonService, SummaryRow,
};
use papers::lists::payment::{PaymentFile, PaymentRow};
use papers::lists::{Cell, List, ListError, workbook};
use papers::words::Lang;
use proptest::prelude::*;
use records::money::Fen;
use records::time::Day;

/// Returns the cells of a workbook's sheet.
fn cells(bytes: &[u8], sheet: &str) -> Vec<Vec<Data>> {
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

/// Returns the fields of a CSV file.
fn fields(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn one(cell: Cell) -> List {
    List { name: "L".to_owned(), heads: vec!["H".to_owned()], rows: vec![vec![cell]] }
}

/// Returns how a cell reads in a workbook.
fn in_workbook(cell: Cell) -> Data {
    cells(&workbook(&[one(cell)]).unwrap(), "L")[1][0].clone()
}

/// Returns how a cell reads in CSV.
fn in_csv(cell: Cell) -> String {
    fields(&one(cell).csv(false).unwrap())[1][0].clone()
}

fn detail(claim_no: &str, seller: &str, claimed: i64) -> DetailLine {
    DetailLine {
        claim_no: claim_no.to_owned(),
        staff_code: "E1001".to_owned(),
        name: "张三".to_owned(),
        line: 1,
        date: Day(20_757),
        category: "住宿".to_owned(),
        detail: seller.to_owned(),
        claimed: Fen(claimed),
        vouchers: 2,
        sheets: vec!["RBJ01-E1001-2610-007".to_owned()],
    }
}

#[test]
fn what_a_spreadsheet_would_calculate_is_text_in_both_forms() {
    let link = "=HYPERLINK(\"http://example.com\",\"发票\")";
    for text in [link, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1+1"] {
        assert_eq!(in_csv(Cell::text(text)), format!("'{text}"), "{text}");
        let kept: String = text.chars().filter(|c| *c != '\r').collect();
        assert_eq!(in_workbook(Cell::text(text)), Data::String(kept), "{text}");
    }
}

#[test]
fn a_workbook_marks_such_a_text_as_quoted_so_that_it_stays_text_when_it_is_edited() {
    let styles = |cell| part(&workbook(&[one(cell)]).unwrap(), "xl/styles.xml");
    assert!(styles(Cell::text("=1+1")).contains("quotePrefix=\"1\""));
    assert!(!styles(Cell::text("1+1")).contains("quotePrefix=\"1\""));
}

#[test]
fn a_negative_amount_stays_a_number_and_a_text_that_looks_like_one_stays_as_it_is() {
    assert_eq!(in_csv(Cell::Money(Fen(-1250))), "-12.50");
    assert_eq!(in_workbook(Cell::Money(Fen(-1250))), Data::Float(-12.5));
    assert_eq!(in_csv(Cell::text("-12.50")), "-12.50");
}

#[test]
fn long_numbers_keep_all_their_digits() {
    for number in ["6222021234567890123", "25117000000123456789", "00012", "1E5"] {
        assert_eq!(in_workbook(Cell::text(number)), Data::String(number.to_owned()));
        assert_eq!(in_csv(Cell::text(number)), number);
    }
}

#[test]
fn days_are_days_in_a_workbook_and_iso_in_csv() {
    let day: Day = "2026-10-31".parse().unwrap();
    let Data::DateTime(read) = in_workbook(Cell::Day(day)) else { panic!("no day") };
    assert_eq!(read.to_ymd_hms_milli(), (2026, 10, 31, 0, 0, 0, 0));
    assert_eq!(in_csv(Cell::Day(day)), "2026-10-31");
}

#[test]
fn an_amount_beyond_what_a_double_holds_is_text() {
    assert_eq!(in_workbook(Cell::Money(Fen(i64::MAX))), Data::String("92233720368547758.07".to_owned()));
}

#[test]
fn the_mark_says_that_the_file_is_utf_8() {
    let list = one(Cell::text("发票"));
    assert!(list.csv(true).unwrap().starts_with("\u{feff}H\n".as_bytes()));
    assert!(list.csv(false).unwrap().starts_with(b"H\n"));
}

#[test]
fn a_manifest_lists_lines_and_explained_numbers_in_order_with_the_sum() {
    let explained = DetailRow::Explained {
        claim_no: "BJ01-E1001-2026-0010".to_owned(),
        staff_code: "E1001".to_owned(),
        name: "张三".to_owned(),
        why: "作废：填错".to_owned(),
    };
    let rows = vec![
        DetailRow::Line(detail("BJ01-E1001-2026-0009", "=cmd", 110_000)),
        explained,
        DetailRow::Line(detail("BJ01-E1001-2026-0011", "汉庭", 13_456)),
    ];
    let list = ManifestDetail { batch_no: "BJ-202611-A".to_owned(), rows }.list(Lang::ZhCn).unwrap();
    let book = workbook(std::slice::from_ref(&list)).unwrap();
    let read = cells(&book, "报销明细");
    let numbers: Vec<String> = read[1..4].iter().map(|row| row[1].to_string()).collect();
    assert_eq!(numbers, ["BJ01-E1001-2026-0009", "BJ01-E1001-2026-0010", "BJ01-E1001-2026-0011"]);
    assert_eq!(read[2][11], Data::String("作废：填错".to_owned()));
    assert_eq!((&read[4][0], &read[4][8]), (&Data::String("合计".to_owned()), &Data::Float(1234.56)));
    assert_eq!(fields(&list.csv(true).unwrap())[4][8], "1234.56");
    assert!(read.iter().all(|row| row.len() == 12));
}

#[test]
fn every_list_has_as_many_cells_as_headings_and_a_name_that_a_workbook_takes() {
    let summary = SummaryRow {
        staff_code: "E1001".to_owned(),
        name: "张三".to_owned(),
        unit: "北京客服中心".to_owned(),
        first_no: "BJ01-E1001-2026-0009".to_owned(),
        last_no: "BJ01-E1001-2026-0011".to_owned(),
        claims: 2,
        vouchers: 4,
        claimed: Fen(123_456),
        explained: "0010 作废".to_owned(),
    };
    let gap = GapRow {
        staff_code: "E1001".to_owned(),
        name: "张三".to_owned(),
        claim_no: "BJ01-E1001-2026-0009".to_owned(),
        gap: Gap::LostInTransit,
        electronic: true,
        listed: true,
        scanned: false,
        note: String::new(),
    };
    let payment = PaymentRow {
        staff_code: "E1001".to_owned(),
        account_name: "张三".to_owned(),
        account_no: "6222021234567890123".to_owned(),
        bank_name: "工商银行".to_owned(),
        bank_branch: "北京分行".to_owned(),
        cnaps: "102100099996".to_owned(),
        amount: Fen(100_000),
        claims: vec!["BJ01-E1001-2026-0009".to_owned()],
        purpose: "报销".to_owned(),
    };
    let fine = FineRow {
        case: "C7".to_owned(),
        staff_code: "E1001".to_owned(),
        name: "张三".to_owned(),
        month: "2026-11".to_owned(),
        reason: "虚报".to_owned(),
        claim_no: "BJ01-E1001-2026-0009".to_owned(),
        amount: Fen(5_000),
        grade: "C".to_owned(),
        confirmed_by: "李四".to_owned(),
        confirmed: Day(20_770),
        state: "待扣".to_owned(),
    };
    for lang in [Lang::ZhCn, Lang::ZhTw, Lang::En] {
        let payments = PaymentFile { payment_no: "P-1".to_owned(), rows: vec![payment.clone()] };
        assert_eq!(payments.total().unwrap(), Fen(100_000));
        let lists = [
            ManifestDetail { batch_no: String::new(), rows: vec![DetailRow::Line(detail("1", "x", 1))] }
                .list(lang)
                .unwrap(),
            ManifestSummary { batch_no: String::new(), rows: vec![summary.clone()] }.list(lang).unwrap(),
            NonService { batch_no: String::new(), rows: vec![detail("1", "x", 1)] }.list(lang).unwrap(),
            GapList { rows: vec![gap.clone()] }.list(lang),
            payments.list(lang),
            FinesList { rows: vec![fine.clone()] }.list(lang).unwrap(),
        ];
        for list in &lists {
            assert!(list.rows.iter().all(|row| row.len() == list.heads.len()), "{}", list.name);
        }
        let book = workbook(&lists).unwrap();
        assert_eq!(Xlsx::new(Cursor::new(&book)).unwrap().sheet_names().len(), lists.len());
        assert_eq!(book, workbook(&lists).unwrap(), "equal lists, equal bytes");
    }
}

#[test]
fn a_sum_that_is_no_amount_is_refused() {
    let rows = vec![detail("1", "x", i64::MAX), detail("2", "x", 1)];
    let refused = NonService { batch_no: String::new(), rows }.list(Lang::En);
    assert!(matches!(refused, Err(ListError::Sum)));
}

/// Returns one part of a workbook.
fn part(book: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_digits_of_an_amount_stand_in_the_workbook_as_they_are(
        fen in -999_999_999_999_999_i64..=999_999_999_999_999,
    ) {
        let sheet = part(&workbook(&[one(Cell::Money(Fen(fen)))]).unwrap(), "xl/worksheets/sheet1.xml");
        let (_, stored) = sheet.rsplit_once("<v>").unwrap();
        let (stored, _) = stored.split_once("</v>").unwrap();
        let digits = Fen(fen).to_string();
        prop_assert_eq!(stored, digits.trim_end_matches('0').trim_end_matches('.'));
    }

    #[test]
    fn any_text_reads_back_from_csv_without_becoming_a_formula(text in "[=+\\-@'\\t\\r\\n\"a1,；]{0,6}") {
        let read = in_csv(Cell::text(&text));
        let harmless = read.strip_prefix('\'').unwrap_or(&read);
        prop_assert!(read == text || harmless == text);
        prop_assert!(!records::table::cell::formula(&read) || read.starts_with('\''));
    }
}
