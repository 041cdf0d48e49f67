//! Each rule at its edges, on trails made by hand.

mod days;
mod gathered;

use std::collections::BTreeMap;

use crate::claim::traces::trail::{Invoiced, Jump, Paper, Photo, Trail};
use crate::claim::traces::{Trace, of_claim};
use crate::claim::view::{Approval, Claim, Line, Submitted, Ticket};
use crate::duplicate::{Key, PictureHash};
use crate::id::{DocId, Replica};
use crate::kinds::claim::CostOwner;
use crate::kinds::claim_machine as at;
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::terms::Policy;
use crate::time::{Day, Ts, Zone};
use crate::value::FileHash;
use crate::value::text::Lang;

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

#[test]
fn what_is_found_again_has_the_same_identity() {
    let trail = papers(Paper { other_sum: Some(Fen(1)), ..paper(10) }, vec![]);
    let found = traces(&trail);
    assert_eq!(found[0].identity(), "A15:1:7.1.10");
}
