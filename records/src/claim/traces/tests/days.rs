//! Expenses against work.

use crate::claim::traces::tests::{check, check_text, claim, day, id, line, me, paper, papers, sum, ts};
use crate::claim::traces::trail::{Leg, Paper, Photo, Sheet, Trail};
use crate::kinds::voucher::Category;
use crate::value::{FileHash, Fix, Target};

fn sheet(from: &str, to: &str) -> Sheet {
    let at = |time: &str| Some(ts(&format!("2026-03-{time}:00+08:00")));
    Sheet {
        name: "RNJ-T101-2603-001".into(),
        staff: [me()].into(),
        from: at(from),
        to: at(to),
        fix: None,
        place: String::new(),
        gone: None,
    }
}

#[test]
fn a7_an_expense_of_travel_on_a_day_without_work() {
    let trail = |category, date, sheets: Vec<Sheet>| Trail {
        sheets: (50..).map(id).zip(sheets).collect(),
        ..Trail::new(claim(1, "0007", vec![line(1, category, date, 3500)]))
    };
    check(&trail(Category::MEAL, "2026-03-10", vec![sheet("10T09:00", "10T11:00")]), &[]);
    let working = trail(Category::MEAL, "2026-03-11", vec![sheet("10T09:00", "10T11:00")]);
    check_text(&working, "line 1: 35.00 on 2026-03-11, without a sheet or travel that day");
    let sunday = trail(Category::MEAL, "2026-03-15", vec![]);
    check_text(
        &sunday,
        "line 1: 35.00 on 2026-03-15, a free day (2026-03-15), without a sheet or travel that day",
    );
    check(&trail(Category::MEAL, "2026-03-15", vec![sheet("14T22:00", "15T02:00")]), &[]);
    check(&trail(Category::PHONE, "2026-03-15", vec![]), &[]);
    let others = Sheet { staff: [id(901)].into(), ..sheet("10T09:00", "10T11:00") };
    check(&trail(Category::MEAL, "2026-03-10", vec![others]), &["A7"]);
    let gone = Sheet { gone: Some("void"), ..sheet("10T09:00", "10T11:00") };
    check(&trail(Category::MEAL, "2026-03-10", vec![gone]), &["A7"]);
    let (depart, arrive) = (ts("2026-03-10T07:00:00+08:00"), ts("2026-03-10T09:00:00+08:00"));
    let leg = Leg { depart, arrive, from: "南京".into(), to: "苏州".into() };
    check(&Trail { legs: vec![leg], ..trail(Category::MEAL, "2026-03-10", vec![]) }, &[]);
}

fn night(bed: Option<Fix>, taken: &str, bed_place: &str, work: Option<Fix>, work_place: &str) -> Trail {
    let photo = Photo { file: FileHash(vec![1; 32]), taken_at: Some(ts(taken)), fix: bed };
    let own = Paper { photos: vec![photo], place: bed_place.into(), ..paper(10) };
    let mut trail = papers(own, vec![]);
    trail.claim.lines[0].category = Some(Category::LODGING);
    let sheet = Sheet { fix: work, place: work_place.into(), ..sheet("10T09:00", "10T11:00") };
    trail.sheets = [(id(50), sheet)].into();
    trail
}

#[test]
fn a8_a_night_more_than_a_hundred_kilometres_from_that_days_work() {
    let at = |lat: i32| Some(Fix { lat, lon: 1_187_900_000, accuracy: 10, mock: false });
    let evening = "2026-03-10T20:00:00+08:00";
    // A degree of latitude is 111.1 km; 0.9 are 100.0.
    check(&night(at(320_600_000), evening, "", at(311_600_000), ""), &[]);
    check(&night(at(320_600_000), evening, "", at(311_500_000), ""), &["A8"]);
    // A photo taken a week later says nothing of the night.
    check(&night(at(320_600_000), "2026-03-13T20:00:00+08:00", "", at(311_500_000), ""), &[]);
    check(&night(None, evening, "江苏省苏州市", None, "南京市江宁区"), &["A8"]);
    check_text(
        &night(None, evening, "苏州市", None, "南京市江宁区"),
        "line 1: the night of 2026-03-10 is in 苏州市, that day's work in 南京市江宁区: RNJ-T101-2603-001 南京市江宁区",
    );
    check(&night(None, evening, "江苏省南京市", None, "南京市江宁区"), &[]);
    check(&night(None, evening, "如家酒店", None, "南京市江宁区"), &[]);
    // Positions count before words.
    check(&night(at(320_600_000), evening, "苏州市", at(320_600_001), "南京市"), &[]);
    let mut told = night(None, evening, "苏州市", None, "");
    told.places.insert(day("2026-03-10"), ["苏州市".to_owned()].into());
    check(&told, &[]);
    told.places.insert(day("2026-03-10"), ["南京市".to_owned()].into());
    told.sheets.get_mut(&id(50)).unwrap().place = "南京市".into();
    check(&told, &["A8"]);
}

#[test]
fn a10_two_visits_or_two_journeys_that_overlap_by_more_than_a_quarter_of_an_hour() {
    let base = || Trail::new(sum(1, "0007", 1));
    let sheets = |second: Sheet| Trail {
        sheets: [(id(50), sheet("10T09:00", "10T11:00")), (id(51), second)].into(),
        ..base()
    };
    check(&sheets(sheet("10T10:45", "10T12:00")), &[]);
    check(&sheets(sheet("10T10:44", "10T12:00")), &["A10"]);
    check_text(
        &sheets(sheet("10T09:30", "10T10:30")),
        "60 minutes at two places: RNJ-T101-2603-001 2026-03-10 09:00 – 2026-03-10 11:00; RNJ-T101-2603-001 2026-03-10 09:30 – 2026-03-10 10:30",
    );
    check(&sheets(Sheet { gone: Some("amended"), ..sheet("10T09:00", "10T11:00") }), &[]);
    check(&sheets(Sheet { staff: [id(901)].into(), ..sheet("10T09:00", "10T11:00") }), &[]);
    let leg = |from: &str, depart: &str, arrive: &str| Leg {
        depart: ts(&format!("2026-03-10T{depart}:00+08:00")),
        arrive: ts(&format!("2026-03-10T{arrive}:00+08:00")),
        from: from.into(),
        to: "苏州".into(),
    };
    let legs = |legs| Trail { legs, ..base() };
    check(&legs(vec![leg("南京", "07:00", "09:00"), leg("上海", "08:45", "10:00")]), &[]);
    check(&legs(vec![leg("南京", "07:00", "09:00"), leg("上海", "08:44", "10:00")]), &["A10"]);
    check(&legs(vec![leg("南京", "07:00", "09:00"), leg("南京", "07:00", "09:00")]), &[]);
}

#[test]
fn a12_a_sheet_taken_back_after_the_submission() {
    let trail = |gone| {
        let mut one = line(1, Category::PHONE, "2026-03-10", 1);
        one.sheets = vec![Target::Doc(id(50)), Target::Text("RNJ-1".into())];
        let sheet = Sheet { gone, ..sheet("10T09:00", "10T11:00") };
        Trail { sheets: [(id(50), sheet)].into(), ..Trail::new(claim(1, "0007", vec![one])) }
    };
    check(&trail(None), &[]);
    check(&trail(Some("returned")), &["A12"]);
    check(&trail(Some("amended")), &["A12"]);
    let mut draft = trail(Some("void"));
    check(&draft, &["A12"]);
    draft.claim.submission = None;
    check(&draft, &[]);
}
