//! The way of a claim from the engineer's pages to the bank's file: who does what in how many steps.

use crate::audit::Face;
use crate::company::text;
use crate::flow::Flow;
use crate::page::{DESK, PHONE, TABLET};
use crate::served::Served;
use crate::stages::{self, CLAIM_DAY, FINANCE_DAY, POST_DAY};
use crate::town::{COLLEAGUE, ENGINEER, FINANCE, GM, SECOND_FINANCE, SUPERVISOR, Town};
use crate::world::Device;

/// Opens the first page of a device at that moment.
#[track_caller]
fn opened(device: &mut Device, now: &str, width: u32, lang: &'static str) -> (Served, Flow) {
    device.now = Some(now.to_owned());
    let pages = Served::of(device);
    let flow = Flow::begin(pages.open(width, lang), Face::Device);
    (pages, flow)
}

/// Flow 6: the half-month is over and its claim is ready.
#[test]
fn a_half_months_claim_is_handed_in_in_four_steps() {
    let town = Town::found();
    let mut device = town.device(ENGINEER);
    stages::work(&mut device);
    let (pages, mut flow) = opened(&mut device, CLAIM_DAY, PHONE, "zh-CN");
    flow.tap("#claim-2025-03-H1");
    flow.tap("#trip-confirm-2025-03-H1");
    flow.type_into("textarea[name^='reason.']", "主管与报销单一并审批");
    flow.tap("#claim-submit");
    flow.ends(6);
    flow.was_clean();
    drop(pages);
    assert_eq!(device.ask(["claim", "list"])[0]["state"], "submitted");
}

/// Flow 8: the supervisor on the train; trip summaries wait behind the claim and open themselves.
#[test]
fn a_clean_claim_is_reviewed_in_three_steps() {
    let town = Town::found();
    let mut engineer = town.device(ENGINEER);
    let number = stages::submitted(&mut engineer);
    let mut supervisor = town.device(SUPERVISOR);
    supervisor.now = Some(CLAIM_DAY.to_owned());
    supervisor.sync();
    let (pages, mut flow) = opened(&mut supervisor, CLAIM_DAY, TABLET, "en");
    let waiting = supervisor.ask(["review", "list"]);
    let claim =
        waiting.as_array().and_then(|all| all.iter().find(|one| one["number"] == number.as_str()).cloned());
    let id = text(&claim.expect("the claim waits")["id"]);
    flow.visit("/");
    flow.tap(&format!("#reviews a.row[href^='/review/{id}']"));
    flow.type_into("#review-vouchers", "1");
    flow.tap("#review-approve");
    flow.ends(8);
    flow.was_clean();
    drop(pages);
    assert_eq!(supervisor.ask(["claim", "show", &number])["state"], "sup_approved");
}

/// Flow 9: the check list names who submitted nothing; label and list are one print.
#[test]
fn the_branchs_envelope_is_sealed_and_sent_in_four_steps() {
    let town = Town::found();
    let mut engineer = town.device(ENGINEER);
    stages::submitted(&mut engineer);
    let [mut supervisor, mut gm] = [SUPERVISOR, GM].map(|staff| town.device(staff));
    stages::approved(&mut supervisor);
    stages::approved(&mut gm);
    supervisor.now = Some(POST_DAY.to_owned());
    supervisor.sync();
    let (pages, mut flow) = opened(&mut supervisor, POST_DAY, TABLET, "zh-CN");
    flow.tap("#batch");
    flow.page.shows("王磊");
    flow.page.shows("未提交");
    flow.tap("#batch-seal");
    flow.tap("#batch-print");
    flow.scan("#waybill", "SF100");
    flow.ends(9);
    flow.page.shows("SF100");
    flow.was_clean();
    drop(pages);
    assert_eq!(supervisor.ask(["batch", "list"])[0]["state"], "dispatched");
}

/// Flow 12: one person of finance drafts, the other one approves and takes the bank's file.
#[test]
fn finance_pays_in_four_steps() {
    let mut town = Town::found();
    let mut people = [ENGINEER, COLLEAGUE, SUPERVISOR].map(|staff| town.device(staff));
    let claims: Vec<String> = people.iter_mut().map(stages::submitted).collect();
    let [_, _, supervisor] = &mut people;
    stages::approved(supervisor);
    stages::approved(&mut town.device(GM));
    let batch = stages::posted(supervisor);
    town.opens_at(FINANCE_DAY);
    let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
    town.brought_to_finance(&batch, &claims);
    let mut flow = Flow::begin(town.open(FINANCE, DESK, "zh-CN"), Face::Office);
    flow.tap("main a.row[href='/pay']");
    flow.page.shows("105.00");
    flow.tap("#pay-draft");
    let drafted = flow.page.path();
    flow.was_clean();
    flow.hands_to(town.open(SECOND_FINANCE, DESK, "en"));
    flow.visit(&drafted);
    flow.tap("#pay-approve");
    flow.tap("#pay-export");
    flow.ends(12);
    flow.was_clean();
    let batches = town.office(FINANCE_DAY, &["pay", "list"]);
    assert_eq!(batches[0]["state"], "exported", "{batches}");
}
