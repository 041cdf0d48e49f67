//! Reports of work sheets.

use papers::paper::{Paper, Print};
use papers::sheet::{PICTURE_SIDE_MAX, ReportTable, SheetReport, Signed, Strokes};
use papers::words::Lang;

use crate::Printed;

fn report(signed: Signed) -> SheetReport {
    let parts = ReportTable {
        title: "备件".to_owned(),
        columns: vec!["备件".to_owned(), "数量".to_owned(), "序列号".to_owned()],
        rows: vec![vec!["油气分离器".to_owned(), "1".to_owned(), "SN-2209-0001".to_owned()]],
    };
    SheetReport {
        kind: "维修单".to_owned(),
        number: "RBJ01-E1001-2610-007".to_owned(),
        id: "7.3061842211.42".to_owned(),
        code: "K3M9QT2X".to_owned(),
        state: "已封存".to_owned(),
        facts: vec![
            ("客户".to_owned(), "华北制药".to_owned()),
            ("到达时间".to_owned(), "2026-10-31 09:40".to_owned()),
        ],
        texts: vec![("工作内容".to_owned(), "更换油气分离器，试机两小时，排气温度正常。".repeat(120))],
        tables: vec![parts],
        signed,
    }
}

fn print(report: SheetReport) -> Printed {
    let title = report.number.clone();
    Printed::of(&Print { lang: Lang::ZhCn, title, papers: vec![Paper::Sheet(report)] })
}

#[test]
fn a_report_with_a_long_text_goes_on_over_pages_and_ends_with_the_signature() {
    let strokes = Strokes::new(200, 80, vec![128; 16_000]);
    assert!(strokes.is_some());
    let page = print(report(Signed::By { who: "赵六 设备科长 2026-10-31 16:20".to_owned(), strokes }));
    assert!(page.pages() > 1);
    for words in ["维修单", "RBJ01-E1001-2610-007", "7.3061842211.42", "SN-2209-0001", "赵六 设备科长"]
    {
        page.has(words);
    }
    assert_eq!(page.pictures(), 1);
}

#[test]
fn a_report_says_why_nobody_signed() {
    let page = print(report(Signed::Not { reason: "无人值守现场".to_owned() }));
    page.has("未签字：无人值守现场");
    assert_eq!(page.pictures(), 0);
}

#[test]
fn strokes_fill_their_sides() {
    assert_eq!(Strokes::new(2, 2, vec![0; 3]), None);
    assert_eq!(Strokes::new(0, 2, Vec::new()), None);
    assert_eq!(Strokes::new(PICTURE_SIDE_MAX + 1, 1, vec![0; 4_097]), None);
    assert!(Strokes::new(1, 2, vec![0; 2]).is_some());
}
