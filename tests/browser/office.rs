//! The office's flows.

use crate::audit::Face;
use crate::flow::{self, Flow};
use crate::page::{DESK, PHONE, TABLET};
use crate::stages;
use crate::town::{
    ADMIN, AUDITOR, COLLEAGUE, DESK_CLERK, ENGINEER, FINANCE, GM, MANAGER, SUPERVISOR, Town, VICE_PRESIDENT,
};

/// Three claims, posted in one envelope.
struct Posted {
    town: Town,
    batch: String,
    claims: Vec<String>,
}

#[track_caller]
fn posted() -> Posted {
    let town = Town::found();
    let mut people = [ENGINEER, COLLEAGUE, SUPERVISOR].map(|staff| town.device(staff));
    let claims = people.iter_mut().map(stages::submitted).collect();
    let [_, _, supervisor] = &mut people;
    stages::approved(supervisor);
    let mut gm = town.device(GM);
    stages::approved(&mut gm);
    let batch = stages::posted(supervisor);
    Posted { town, batch, claims }
}

#[test]
fn every_page_of_the_console_stands_for_whoever_may_see_it() {
    let posted = posted();
    let seats = [
        (AUDITOR, DESK, "zh-CN"),
        (MANAGER, DESK, "en"),
        (VICE_PRESIDENT, PHONE, "zh-CN"),
        (FINANCE, DESK, "zh-CN"),
        (DESK_CLERK, TABLET, "en"),
        (ADMIN, DESK, "zh-CN"),
        (GM, PHONE, "en"),
    ];
    let mut faults = Vec::new();
    for (staff, width, lang) in seats {
        let mut flow = Flow::begin(posted.town.open(staff, width, lang), Face::Office);
        let wandered = flow::wander(&mut flow);
        println!("{staff} at {width} px in {lang}: {}", wandered.seen.join(" "));
        faults.extend(wandered.faults);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Flow 10: the envelope and its covers under the scanner; the last cover closes it.
fn receives_an_envelope(flow: &mut Flow, posted: &Posted) {
    flow.visit("/audit/receive");
    flow.scan("#scan", &posted.batch);
    for claim in &posted.claims {
        flow.scan("#scan", claim);
    }
    flow.ends(10);
}

/// Flow 11, with no mouse: a line that is clean, and a cut in the next claim; then an alarm about it.
fn audits_lines(flow: &mut Flow, posted: &mut Posted) {
    let [clean, odd, _] = posted.claims.as_slice() else { panic!("three claims") };
    opens(flow, clean);
    flow.key(" ");
    opens(flow, odd);
    flow.key("2");
    flow.type_here("20.00");
    flow.key("Enter");
    flow.ends(11);

    opens(flow, odd);
    flow.key("!");
    flow.type_here("同一天两张出租车票");
    flow.key("Enter");
    flow.took(3);
    let alerts = posted.town.office(stages::ENVELOPE_DAY, &["alert", "list"]);
    assert_eq!(alerts.as_array().map(Vec::len), Some(1), "{alerts}");
    for (claim, verdict, payable_fen) in [(clean, "ok", 3_500), (odd, "adjusted", 2_000)] {
        let shown = posted.town.office(stages::ENVELOPE_DAY, &["claim", "show", claim]);
        let line = &shown["lines"][0];
        assert_eq!(
            (&line["verdict"], &line["payable_fen"]),
            (&verdict.into(), &payable_fen.into()),
            "{line}"
        );
    }
}

/// Opens a claim of the queue by the keyboard; finding it is no step, as the next one opens by itself.
fn opens(flow: &mut Flow, claim: &str) {
    flow.visit("/audit");
    flow.page.reach(&format!("e.matches('a.row') && e.innerText.includes('{claim}')"));
    flow.page.key("Enter");
    flow.look();
}

#[test]
fn the_office_takes_claims_in_with_the_keyboard_alone() {
    let mut posted = posted();
    posted.town.opens_at(stages::ENVELOPE_DAY);
    let mut flow = Flow::begin(posted.town.open(AUDITOR, DESK, "zh-CN"), Face::Office);
    receives_an_envelope(&mut flow, &posted);
    audits_lines(&mut flow, &mut posted);
    flow.was_clean();
}
