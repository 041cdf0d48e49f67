//! Each rule at its edges, on trails made by hand; the trail itself out of records.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::traces::gather::{self, Index, Made};
use crate::claim::traces::marks::{self, Mark};
use crate::claim::traces::trail::{Invoiced, Jump, Leg, Paper, Photo, Sheet, Trail};
use crate::claim::traces::{Trace, of_claim};
use crate::claim::view::{Approval, Claim, Line, Submitted, Ticket};
use crate::duplicate::{Key, PictureHash};
use crate::id::{DocId, Replica};
use crate::kinds::claim::{CLAIM, Claimant, CostOwner, Lines, Placed, Submission};
use crate::kinds::claim_machine as at;
use crate::kinds::repair::REPAIR;
use crate::kinds::sheet::Visit;
use crate::kinds::voucher::{Amount, Category, Dated, InvoiceNo, Seller, VOUCHER};
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::terms::Policy;
use crate::record::Record;
use crate::time::{Day, Ts, Zone};
use crate::value::text::Lang;
use crate::value::{Count, FileHash, Fix, Ref, Target, Text};

fn id(seq: u64) -> DocId {
    format!("7.1.{seq}").parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn ts(text: &str) -> Ts {
    Ts::parse(text, Zone::SHANGHAI).unwrap()
}

/// The claimant.
fn me() -> DocId {
    id(900)
}

fn line(n: u32, category: Category, date: &str, claimed: i64) -> Line {
    Line {
        n,
        category: Some(category),
        date: Some(day(date)),
        service_month: None,
        from_to: String::new(),
        claimed: Fen(claimed),
        trip_day: None,
        detail: String::new(),
        no_sheet_reason: String::new(),
        note: String::new(),
        adjusts: None,
        vouchers: Vec::new(),
        sheets: Vec::new(),
    }
}

/// A claim submitted on 2026-03-16 with mailing 2026-03-B.
fn claim(seq: u64, no: &str, lines: Vec<Line>) -> Claim {
    let submission = Submitted {
        rev: 1,
        day: day("2026-03-16"),
        at: ts("2026-03-16T10:00:00+08:00"),
        policy_version: "2022-06/1".into(),
        cycle: "2026-03-B".into(),
        claimed_total: Fen(0),
        vouchers: 0,
    };
    Claim {
        id: id(seq),
        no: Some(no.into()),
        staff: me(),
        unit: Some(id(800)),
        half: "2026-03-H1".parse().ok(),
        cost_owner: CostOwner::SERVICE,
        state: at::SUBMITTED,
        submission: Some(submission),
        lines,
        trips: Vec::new(),
        approvals: Vec::new(),
        cuts: Vec::new(),
        line_returns: Vec::new(),
        audit: BTreeMap::new(),
        papers: Vec::new(),
        questions: Vec::new(),
        reasons: BTreeMap::new(),
    }
}

/// A claim of one line of another category than travel, so that no rule on work looks at it.
fn sum(seq: u64, no: &str, claimed: i64) -> Claim {
    claim(seq, no, vec![line(1, Category::PHONE, "2026-03-10", claimed)])
}

fn paper(seq: u64) -> Paper {
    Paper {
        id: id(seq),
        owner: Some(me()),
        key: None,
        look: None,
        date: Some(day("2026-03-10")),
        amount: Some(Fen(1234)),
        seller: "如家酒店".into(),
        place: String::new(),
        invoice: None,
        other_sum: None,
        photos: Vec::new(),
        counts: true,
    }
}

/// A claim with `own` on line 1, and `others` around.
fn papers(own: Paper, others: Vec<Paper>) -> Trail {
    let mut one = line(1, Category::PHONE, "2026-03-10", 1234);
    let ticket =
        Ticket { voucher: Some(own.id), amount: Fen(1234), date: own.date, kind: None, key: String::new() };
    one.vouchers.push(ticket);
    let papers = others.into_iter().chain([own]).map(|paper| (paper.id, paper)).collect();
    Trail { papers, ..Trail::new(claim(1, "0007", vec![one])) }
}

fn traces(trail: &Trail) -> Vec<Trace> {
    of_claim(trail, &Policy::parse("").unwrap(), &Calendar::china())
}

#[track_caller]
fn check(trail: &Trail, expected: &[&str]) {
    let rules: Vec<&str> = traces(trail).iter().map(|trace| trace.rule).collect();
    assert_eq!(rules, expected, "{:#?}", traces(trail));
}

#[track_caller]
fn check_text(trail: &Trail, expected: &str) {
    let said = traces(trail).first().map(|trace| trace.text(Lang::En));
    assert_eq!(said.as_deref(), Some(expected));
}

#[test]
fn a1_one_invoice_on_two_vouchers_or_one_voucher_on_two_claims() {
    let invoice = |seq| Paper { key: Some(Key::Strong("D:1".into())), ..paper(seq) };
    check(&papers(invoice(10), vec![]), &[]);
    check(&papers(invoice(10), vec![Paper { key: Some(Key::Strong("D:2".into())), ..paper(11) }]), &[]);
    check(&papers(invoice(10), vec![Paper { counts: false, ..invoice(11) }]), &[]);
    let mut trail = papers(invoice(10), vec![invoice(11)]);
    check(&trail, &["A1"]);
    let mut other = trail.claim.clone();
    (other.id, other.no, other.staff) = (id(2), Some("0031".into()), id(901));
    other.lines[0].vouchers[0].voucher = Some(id(11));
    trail.claims.push(other.clone());
    let (own, twin) = (id(10).code(), id(11).code());
    check_text(
        &trail,
        &format!("the voucher {own} of line 1 is the same paper as: {twin} 2026-03-10 12.34 (0031)"),
    );
    // The same voucher, on two claims.
    let mut trail = papers(invoice(10), vec![]);
    other.lines[0].vouchers[0].voucher = Some(id(10));
    trail.claims.push(other.clone());
    check(&trail, &["A1"]);
    assert_eq!(traces(&trail)[0].about, [id(2), id(10)]);
    other.state = at::REJECTED;
    trail.claims = vec![other];
    check(&trail, &[]);
}

#[test]
fn a2_a_weak_key_or_a_photo_that_looks_alike_to_six_bits() {
    let weak = |seq| Paper { key: Some(Key::Weak("W:7:1".into())), ..paper(seq) };
    check(&papers(weak(10), vec![weak(11)]), &["A2"]);
    let look = |seq, bits: u32| Paper { look: Some(PictureHash((1_u64 << bits) - 1)), ..paper(seq) };
    check(&papers(look(10, 0), vec![look(11, 6)]), &["A2"]);
    check(&papers(look(10, 0), vec![look(11, 7)]), &[]);
    let own = id(10).code();
    let twin = id(11).code();
    check_text(
        &papers(look(10, 0), vec![look(11, 6)]),
        &format!("the voucher {own} of line 1 looks like: {twin} 2026-03-10 12.34 [6/64 bit]"),
    );
    // Two invoices of one shop look alike, and are two.
    let numbered = |seq, key: &str| Paper { key: Some(Key::Strong(key.into())), ..look(seq, 0) };
    check(&papers(numbered(10, "D:1"), vec![numbered(11, "D:2")]), &[]);
}

#[test]
fn a3_claims_of_one_mailing_that_stay_below_the_limit_only_apart() {
    let trail = |own, other: Claim| Trail { claims: vec![other], ..Trail::new(sum(1, "0007", own)) };
    check(&trail(198_000, sum(2, "0008", 95_000)), &["A3"]);
    check_text(
        &trail(198_000, sum(2, "0008", 95_000)),
        "claims of one person in 2026-03-B: 0007 1980.00; 0008 950.00; together 2930.00, over 2000.00, none of them alone",
    );
    check(&trail(150_000, sum(2, "0008", 50_000)), &[]);
    check(&trail(150_000, sum(2, "0008", 50_001)), &["A3"]);
    check(&trail(200_001, sum(2, "0008", 95_000)), &[]);
    check(&trail(150_000, sum(2, "0008", 200_001)), &[]);
    check(&trail(198_000, Claim { state: at::VOID, ..sum(2, "0008", 95_000) }), &[]);
    check(&trail(198_000, Claim { staff: id(901), ..sum(2, "0008", 95_000) }), &[]);
    let mut later = sum(2, "0008", 95_000);
    later.submission.as_mut().unwrap().cycle = "2026-04-A".into();
    check(&trail(198_000, later), &[]);
}

#[test]
fn a4_three_claims_in_ninety_days_within_five_percent_below_a_limit() {
    let on = |seq, no, fen, text: &str| {
        let mut claim = sum(seq, no, fen);
        let submission = claim.submission.as_mut().unwrap();
        (submission.day, submission.cycle) = (day(text), text.to_owned());
        claim
    };
    let trail = |own, claims| Trail { claims, ..Trail::new(on(1, "0009", own, "2026-03-16")) };
    // 90 days that end with 16 March begin on 17 December.
    let two = |first: i64| vec![on(2, "0008", first, "2025-12-17"), on(3, "0007", 200_000, "2026-02-01")];
    check(&trail(195_100, two(190_001)), &["A4"]);
    check_text(
        &trail(195_100, two(190_001)),
        "several claims within 90 days end just below 2000.00: 0009 1951.00; 0008 1900.01; 0007 2000.00",
    );
    check(&trail(195_100, two(190_000)), &[]);
    check(&trail(200_001, two(190_001)), &[]);
    check(&trail(189_000, two(190_001)), &[]);
    let old = vec![on(2, "0008", 190_001, "2025-12-16"), on(3, "0007", 200_000, "2026-02-01")];
    check(&trail(195_100, old), &[]);
    // A ceiling of 150.00 a month for phones.
    let claims = vec![on(2, "0008", 14_900, "2026-02-16"), on(3, "0007", 14_800, "2026-01-16")];
    let capped = Trail { caps: vec![(Category::PHONE, Fen(15_000))], ..trail(15_000, claims) };
    check(&capped, &["A4"]);
    check(&Trail { caps: vec![(Category::MEAL, Fen(15_000))], ..capped }, &[]);
}

#[test]
fn a5_invoice_numbers_of_one_seller_ten_apart_on_other_days_or_of_others() {
    let numbered = |seq, number, date: &str| Paper {
        invoice: Some(Invoiced { code: "044031900111".into(), number }),
        date: Some(day(date)),
        ..paper(seq)
    };
    let own = || numbered(10, 32_218_550, "2026-03-10");
    check(&papers(own(), vec![numbered(11, 32_218_560, "2026-03-11")]), &["A5"]);
    check(&papers(own(), vec![numbered(11, 32_218_561, "2026-03-11")]), &[]);
    check(&papers(own(), vec![numbered(11, 32_218_551, "2026-03-10")]), &[]);
    check(
        &papers(own(), vec![Paper { owner: Some(id(901)), ..numbered(11, 32_218_540, "2026-03-10") }]),
        &["A5"],
    );
    check(
        &papers(own(), vec![Paper { seller: "汉庭".into(), ..numbered(11, 32_218_551, "2026-03-11") }]),
        &[],
    );
    check(
        &papers(own(), vec![Paper { seller: String::new(), ..numbered(11, 32_218_551, "2026-03-11") }]),
        &["A5"],
    );
    let code = |code: &str| {
        let invoice = Some(Invoiced { code: code.into(), number: 32_218_551 });
        Paper { invoice, ..numbered(11, 0, "2026-03-11") }
    };
    check(&papers(own(), vec![code("044031900112")]), &[]);
    // Digital invoices have no code: only the seller's name says that they are of one.
    let digital = |seq, date, seller: &str| {
        let number = 25_152_000_009_858_579_100 + u128::from(u64::try_from(seq).unwrap());
        let invoice = Some(Invoiced { code: String::new(), number });
        Paper { invoice, seller: seller.into(), ..numbered(u64::try_from(seq).unwrap(), 0, date) }
    };
    check(&papers(digital(10, "2026-03-10", "x"), vec![digital(11, "2026-03-11", "x")]), &["A5"]);
    check(&papers(digital(10, "2026-03-10", ""), vec![digital(11, "2026-03-11", "x")]), &[]);
}

#[test]
fn a6_three_lines_of_whole_fifties() {
    let lines = |amounts: &[i64]| {
        let lines = (1..).zip(amounts).map(|(n, fen)| line(n, Category::PHONE, "2026-03-10", *fen));
        Trail::new(claim(1, "0007", lines.collect()))
    };
    check(&lines(&[5_000, 10_000, 20_000]), &["A6"]);
    check_text(
        &lines(&[5_000, 1, 10_000, 20_000]),
        "several lines are multiples of 50.00: 1: 50.00; 3: 100.00; 4: 200.00",
    );
    check(&lines(&[5_000, 10_000, 20_001]), &[]);
    check(&lines(&[5_000, 10_000, 0]), &[]);
}

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
fn a9_another_persons_purchase_of_the_same_minute() {
    let taken = |paper: Paper, time: &str, file: u8| {
        let photo = Photo { file: FileHash(vec![file; 32]), taken_at: Some(ts(time)), fix: None };
        Paper { photos: vec![photo], ..paper }
    };
    let own = || taken(paper(10), "2026-03-10T12:30:00+08:00", 1);
    let other = |time: &str| taken(Paper { owner: Some(id(901)), ..paper(11) }, time, 2);
    check(&papers(own(), vec![other("2026-03-10T12:30:59+08:00")]), &["A9"]);
    check(&papers(own(), vec![other("2026-03-10T12:31:00+08:00")]), &[]);
    let mine = Paper { owner: Some(me()), ..other("2026-03-10T12:30:59+08:00") };
    check(&papers(own(), vec![mine]), &[]);
    let dearer = Paper { amount: Some(Fen(1235)), ..other("2026-03-10T12:30:59+08:00") };
    check(&papers(own(), vec![dearer]), &[]);
    let nameless = Paper { seller: " ".into(), ..other("2026-03-10T12:30:59+08:00") };
    check(&papers(Paper { seller: String::new(), ..own() }, vec![nameless]), &[]);
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
fn a11_a_day_above_three_times_the_colleagues_median() {
    let trail = |spent, peers: &[i64]| Trail {
        peers: peers.iter().map(|fen| Fen(*fen)).collect(),
        ..Trail::new(sum(1, "0007", spent))
    };
    check(&trail(30_000, &[10_000]), &[]);
    check(&trail(30_001, &[10_000]), &["A11"]);
    check(&trail(99_999_999, &[]), &[]);
    check(&trail(30_001, &[1, 10_000, 99_999]), &["A11"]);
    // The middle of an even number lies between two: 100.005 yuan.
    check(&trail(30_001, &[10_000, 10_001]), &[]);
    check(&trail(30_002, &[10_001, 10_000]), &["A11"]);
    check_text(
        &trail(30_001, &[10_000]),
        "300.01 on 2026-03-10 is more than 3 times 100.00, the middle of 1 days of colleagues",
    );
    // What another claim holds of the same day counts too.
    let both = Trail { claims: vec![sum(2, "0008", 15_001)], ..trail(15_000, &[10_000]) };
    check(&both, &["A11"]);
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

#[test]
fn a13_a_photo_of_another_week_or_of_another_voucher() {
    let photographed = |seq, time: &str, file: u8| {
        let photo = Photo { file: FileHash(vec![file; 32]), taken_at: Some(ts(time)), fix: None };
        Paper { photos: vec![photo], ..paper(seq) }
    };
    let on = |time| papers(photographed(10, time, 1), vec![]);
    check(&on("2026-03-17T23:59:00+08:00"), &[]);
    check(&on("2026-03-18T00:00:00+08:00"), &["A13"]);
    check(&on("2026-03-03T00:00:00+08:00"), &[]);
    check(&on("2026-03-02T23:59:00+08:00"), &["A13"]);
    let own = id(10).code();
    check_text(
        &on("2026-03-18T00:00:00+08:00"),
        &format!(
            "the voucher {own} of line 1: its photo was taken on 2026-03-18, 8 days off the 2026-03-10 on it"
        ),
    );
    let noon = "2026-03-10T12:00:00+08:00";
    let later = "2026-03-10T13:00:00+08:00";
    check(&papers(photographed(10, noon, 1), vec![photographed(11, later, 1)]), &["A13"]);
    check(&papers(photographed(10, noon, 1), vec![photographed(11, later, 2)]), &[]);
}

#[test]
fn a14_a_clock_set_by_more_than_ten_minutes() {
    let trail = |ms: &[i64]| {
        let jumps = ms.iter().map(|by_ms| Jump { replica: Replica(7), seq: 3, by_ms: *by_ms });
        Trail { jumps: jumps.collect(), ..Trail::new(sum(1, "0007", 1)) }
    };
    check(&trail(&[600_000, -600_000]), &[]);
    check(&trail(&[600_001]), &["A14"]);
    check_text(
        &trail(&[600_001, -7_200_000]),
        "the clock of device 7 was set by -120 minutes while he recorded (from op 3, 2 times)",
    );
}

#[test]
fn a15_a_typed_amount_that_is_not_the_invoices() {
    let own = Paper { other_sum: Some(Fen(5600)), ..paper(10) };
    let code = id(10).code();
    check_text(
        &papers(own, vec![]),
        &format!("the voucher {code} of line 1: typed 12.34, its QR says 56.00"),
    );
}

#[test]
fn a16_more_than_twenty_approvals_in_less_than_ten_minutes() {
    let approved = |seq: u64, at: Ts| {
        let approval = Approval {
            step: "sup_approve".into(),
            by: Some(id(700)),
            on_behalf_of: None,
            rev: 1,
            content: Vec::new(),
            vouchers: None,
            acks: Vec::new(),
            note: String::new(),
            at,
        };
        let mut claim = sum(seq, "", 1);
        claim.submission = None;
        Claim { approvals: vec![approval], staff: id(seq + 10_000), ..claim }
    };
    // One each half minute less a bit: the last one is so many milliseconds after the first.
    let row = |n: u64, span_ms: i64| {
        let start = ts("2026-03-17T09:00:00+08:00");
        let last = i64::try_from(n - 1).unwrap();
        let at = |k: u64| Ts(start.0 + span_ms * i64::try_from(k).unwrap() / last);
        let claims: Vec<Claim> = (1..n).map(|k| approved(1000 + k, at(k))).collect();
        Trail { claims, ..Trail::new(approved(1000, at(0))) }
    };
    check(&row(20, 60_000), &[]);
    check(&row(21, 599_999), &["A16"]);
    check(&row(21, 600_000), &[]);
    let mut other = row(21, 599_999);
    other.claims[3].approvals[0].by = Some(id(701));
    check(&other, &[]);
    let mut twice = row(20, 60_000);
    let again = twice.claim.approvals[0].clone();
    twice.claim.approvals.push(again);
    check(&twice, &[]);
    assert_eq!(traces(&row(21, 599_999))[0].about, [id(700)]);
}

/// Records in memory, listed under their marks.
struct Memory(BTreeMap<DocId, Made>);

impl Index for Memory {
    type Error = std::convert::Infallible;

    fn listed(&mut self, mark: &Mark) -> Result<Vec<DocId>, Self::Error> {
        let bears = |made: &&Made| marks::of(&made.record, Zone::SHANGHAI).contains(mark);
        Ok(self.0.values().filter(bears).map(|made| made.record.id).collect())
    }

    fn devices(&mut self, staff: DocId) -> Result<Vec<Replica>, Self::Error> {
        let own = |made: &&Made| made.author == Some(staff);
        Ok(self.0.values().filter(own).map(|made| made.record.id.0.replica).collect())
    }

    fn record(&mut self, id: DocId) -> Result<Option<Made>, Self::Error> {
        Ok(self.0.get(&id).cloned())
    }
}

fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    Some(Text(text.to_owned()))
}

fn to<const KIND: u16>(id: DocId) -> Option<Ref<KIND>> {
    Some(Ref(Target::Doc(id)))
}

fn voucher(seq: u64, number: &str, date: &str) -> Record {
    Record::new(id(seq), &VOUCHER)
        .with(&[Amount { amount: Some(Fen(5600)), ..Amount::default() }])
        .with(&[Dated { date: Some(day(date)) }])
        .with(&[Seller { seller: text("中国石化") }])
        .with(&[InvoiceNo { inv_no: text(number), inv_code: text("044031900111"), ..InvoiceNo::default() }])
}

fn claim_record(seq: u64, staff: DocId, vouchers: &[u64]) -> Record {
    let lines: Vec<Lines> = (1..)
        .zip(vouchers)
        .map(|(n, _)| Lines {
            line: Some(Count(n)),
            category: Some(Category::MEAL),
            date: Some(day("2026-03-10")),
            claimed: Some(Fen(5600)),
            ..Lines::default()
        })
        .collect();
    let placed: Vec<Placed> = (1..)
        .zip(vouchers)
        .map(|(n, voucher)| Placed { line: Some(Count(n)), voucher: to(id(*voucher)), ..Placed::default() })
        .collect();
    let submission = Submission {
        submitted_day: Some(day("2026-03-16")),
        cycle: text("2026-03-B"),
        ..Submission::default()
    };
    let claimant =
        Claimant { staff: to(staff), unit: to(id(800)), half: text("2026-03-H1"), cost_owner: None };
    let mut record =
        Record::new(id(seq), &CLAIM).with(&[claimant]).with(&[submission]).with(&lines).with(&placed);
    record.state = at::SUBMITTED;
    record
}

#[test]
fn a_trail_is_gathered_from_records_by_their_marks() {
    let repair = Record::new(id(50), &REPAIR).with(&[Visit {
        arrived: Some(ts("2026-03-10T09:00:00+08:00")),
        left: Some(ts("2026-03-10T11:00:00+08:00")),
    }]);
    let own = claim_record(1, me(), &[10]);
    let records = [
        (own.clone(), me()),
        (claim_record(2, id(901), &[11, 12]), id(901)),
        (voucher(10, "32218550", "2026-03-10"), me()),
        (voucher(11, "32218550", "2026-03-12"), id(901)),
        (voucher(12, "32218555", "2026-03-11"), id(901)),
        (voucher(13, "32218999", "2026-03-13"), id(901)),
        (repair, me()),
    ];
    let made = |(record, author): (Record, DocId)| (record.id, Made { record, author: Some(author) });
    let mut memory = Memory(records.into_iter().map(made).collect());
    let policy = Policy::parse("").unwrap();
    let trail = gather::trail(&own, &policy, &mut memory).unwrap().unwrap();
    let known: BTreeSet<DocId> = trail.papers.keys().copied().collect();
    assert_eq!(known, [id(10), id(11), id(12)].into(), "what resembles nothing is not read");
    assert_eq!(trail.claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(trail.peers, [Fen(11_200)]);
    assert!(trail.sheets.contains_key(&id(50)), "a sheet without an engineer is its device's");
    check(&trail, &["A1", "A5"]);

    let twins = gather::twins(&memory.0[&id(11)].clone(), &policy, &mut memory).unwrap();
    assert_eq!(twins.iter().map(|(paper, _)| paper.id).collect::<Vec<_>>(), [id(10)]);
    let claims = gather::claims_with(id(12), &mut memory).unwrap();
    assert_eq!(claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [id(2)]);
}

#[test]
fn what_is_found_again_has_the_same_identity() {
    let trail = papers(Paper { other_sum: Some(Fen(1)), ..paper(10) }, vec![]);
    let found = traces(&trail);
    assert_eq!(found[0].identity(), "A15:1:7.1.10");
}
