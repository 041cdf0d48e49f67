//! People who had not heard of each other decide on one claim: HQ judges in the order of arrival, whoever lost is told,
//! and nobody's money goes out twice.

use serde_json::Value;

use crate::company::{Company, LI, WANG, ZHAO, text};
use crate::world::{Device, Hq};

/// Who decides above the centre.
const PEOPLE: &str = "code,name,unit,roles\nG101,高峰,HZ,branch_gm\nA001,安静,JL,auditor\nM001,马力,JL,cs_manager\n\
                      V001,傅强,JL,sales_vp\nF001,范青,JL,finance\nF002,费兰,JL,finance\n";

/// Li's first claim of 2025.
const NO: &str = "HZC-T101-2025-0001";

/// The first half of the month is over.
const SUNDAY: &str = "2025-03-16T18:00:00+08:00";
/// Its claims are posted until this day.
const MONDAY: &str = "2025-03-17T09:00:00+08:00";
/// The envelope is at headquarters.
const WEDNESDAY: &str = "2025-03-19T09:00:00+08:00";

/// A branch with Li's device, and his supervisor's two.
struct Branch {
    company: Company,
    li: Device,
    wang: Device,
    tablet: Device,
}

impl Branch {
    fn meet() -> Self {
        let company = Company::found_with(Hq::init_at(Some(SUNDAY)));
        let file = company.hq.file("people.csv", PEOPLE);
        company.hq.run(["staff", "import", file.to_str().expect("a path of the tests")]).ended(0);
        let [li, wang, tablet] = [LI, WANG, WANG].map(|staff| {
            let device = company.device(staff);
            device.sync();
            device
        });
        Self { company, li, wang, tablet }
    }

    /// Lets it be another day for everybody.
    fn at(&mut self, now: &str) {
        for device in [&mut self.li, &mut self.wang, &mut self.tablet] {
            device.now = Some(now.to_owned());
        }
        self.company.hq.now = Some(now.to_owned());
        self.company.restart();
    }

    /// Syncs in that order until everybody has heard of everything.
    #[track_caller]
    fn level(&self, devices: &[&Device]) {
        for device in devices.iter().chain(devices) {
            let report = device.sync();
            assert_eq!(report["new_quarantine"], 0, "{report}");
        }
    }

    /// Returns what a command of the office answers.
    #[track_caller]
    fn office(&self, words: &str) -> Value {
        let words = ["--json"].into_iter().chain(words.split(' '));
        self.company.hq.run(words).ended(0).json()
    }

    #[track_caller]
    fn state(&self, claim: &str) -> String {
        text(&self.office(&format!("claim show {claim}"))["state"])
    }

    /// Returns the rules of the alerts on a claim.
    #[track_caller]
    fn alerts(&self, claim: &str) -> Vec<String> {
        let shown = self.office(&format!("claim show {claim}"));
        shown["alerts"].as_array().expect("a list").iter().map(|alert| text(&alert["rule"])).collect()
    }

    /// Li submits a claim of one voucher, and his supervisor's devices hear of it.
    fn submitted(&self) -> String {
        let id = submits(&self.li, "60.00");
        self.level(&[&self.li, &self.wang, &self.tablet]);
        id
    }

    /// The supervisor's device puts approved claims into the batch of the half-month and posts it.
    #[track_caller]
    fn posted(&self, claims: &[&str]) {
        self.wang.ask(["batch", "open", "2025-03-B"]);
        self.wang.ask(["batch", "add"].into_iter().chain(claims.iter().copied()));
        self.wang.ask(["batch", "seal"]);
        self.wang.ask(["batch", "dispatch", "--waybill", "SF100"]);
    }

    /// The supervisor and the branch GM approve a claim, and everybody hears of it.
    fn approved(&self, claim: &str) {
        self.wang.ask(["review", "approve", claim, "--vouchers", "1"]);
        self.level(&[&self.wang]);
        let done = self.office(&format!("review approve {claim} --vouchers 1 --as G101"));
        assert_eq!(done["state"], "gm_approved", "{done}");
        self.level(&[&self.wang]);
    }
}

/// Captures a voucher, drafts the claim of the half-month and submits it; returns its id.
#[track_caller]
fn submits(device: &Device, amount: &str) -> String {
    let add = ["voucher", "add", "--category", "other_service", "--amount", amount, "--date", "2025-03-05"];
    device.ask(add);
    let id = text(&device.ask(["claim", "draft", "2025-03-H1"])["id"]);
    device.ask(["claim", "submit", &id]);
    id
}

/// Returns what the person is told of a decision of his on the claim; he is told of one only.
#[track_caller]
fn told(device: &Device, claim: &str) -> Value {
    let listed = device.ask(["review", "list"]);
    let about = |entry: &&Value| entry["id"] == claim && entry["what"] != "waits";
    let all: Vec<&Value> = listed.as_array().expect("a list").iter().filter(about).collect();
    let [one] = all.as_slice() else { panic!("{listed}") };
    (*one).clone()
}

/// Returns what became of each decision of that step.
#[track_caller]
fn standings(device: &Device, claim: &str, step: &str) -> Vec<String> {
    let shown = device.ask(["claim", "show", claim]);
    let decisions = shown["decisions"].as_array().expect("a list").iter();
    decisions.filter(|taken| taken["step"] == step).map(|taken| text(&taken["standing"])).collect()
}

#[test]
fn a_stricter_decision_that_comes_after_others_were_built_on_the_milder_one_is_kept_and_told() {
    let branch = Branch::meet();
    let claim = branch.submitted();
    branch.tablet.ask(["review", "return", &claim, "--reason", "pasted_wrong"]);
    branch.approved(&claim);
    branch.level(&[&branch.tablet, &branch.li, &branch.wang]);

    assert_eq!(branch.state(&claim), "gm_approved");
    for device in [&branch.li, &branch.wang, &branch.tablet] {
        assert_eq!(device.ask(["claim", "show", &claim])["state"], "gm_approved");
        assert_eq!(standings(device, &claim, "sup_return"), ["too_late"]);
        assert_eq!(standings(device, &claim, "sup_approve"), ["stands"]);
    }
    let told = told(&branch.tablet, &claim);
    assert_eq!((&told["what"], &told["step"]), (&"too_late".into(), &"sup_return".into()), "{told}");
    assert_eq!(branch.alerts(&claim), ["C-37"]);
    branch.company.is_level_with(&[&branch.li, &branch.wang, &branch.tablet]);
}

#[test]
fn an_approval_of_what_the_claimant_changed_meanwhile_waits_to_be_confirmed_in_one_step() {
    let branch = Branch::meet();
    let claim = branch.submitted();
    branch.wang.ask(["review", "approve", &claim, "--vouchers", "1"]);
    branch.li.ask(["claim", "withdraw", &claim]);
    branch.li.ask(["claim", "set", &claim, "--line", "1", "claimed=40.00"]);
    branch.li.ask(["claim", "submit", &claim]);
    branch.level(&[&branch.li, &branch.wang, &branch.tablet]);

    assert_eq!(branch.state(&claim), "submitted");
    let shown = branch.wang.ask(["review", "show", &claim]);
    assert_eq!((&shown["state"], &shown["rev"]), (&"submitted".into(), &2.into()), "{shown}");
    let told = &shown["told"];
    assert_eq!(told["what"], "changed", "{told}");
    assert_eq!((&told["then"]["rev"], &told["then"]["claimed"]), (&1.into(), &"60.00".into()), "{told}");
    assert_eq!((&told["now"]["rev"], &told["now"]["claimed"]), (&2.into(), &"40.00".into()), "{told}");
    let done = branch.wang.ask(["review", "approve", &claim, "--vouchers", "1"]);
    assert_eq!(done["state"], "sup_approved", "{done}");
    branch.level(&[&branch.wang, &branch.li, &branch.tablet]);
    assert_eq!(branch.state(&claim), "sup_approved");
    assert_eq!(branch.li.ask(["claim", "show", &claim])["state"], "sup_approved");
    branch.company.is_level_with(&[&branch.li, &branch.wang, &branch.tablet]);
}

#[test]
fn of_a_return_and_an_approval_of_one_step_the_return_stands_in_either_order_of_arrival() {
    for return_first in [true, false] {
        let branch = Branch::meet();
        let claim = branch.submitted();
        branch.wang.ask(["review", "approve", &claim, "--vouchers", "1"]);
        branch.tablet.ask(["review", "return", &claim, "--reason", "pasted_wrong"]);
        let order =
            if return_first { [&branch.tablet, &branch.wang] } else { [&branch.wang, &branch.tablet] };
        branch.level(&order);
        branch.level(&[&branch.li]);

        assert_eq!(branch.state(&claim), "returned", "return first: {return_first}");
        for device in [&branch.li, &branch.wang, &branch.tablet] {
            assert_eq!(device.ask(["claim", "show", &claim])["state"], "returned");
            assert_eq!(standings(device, &claim, "sup_return"), ["stands"]);
            assert_eq!(standings(device, &claim, "sup_approve"), ["superseded"]);
        }
        let told = told(&branch.wang, &claim);
        assert_eq!((&told["what"], &told["step"]), (&"overruled".into(), &"sup_approve".into()), "{told}");
        assert_eq!((&told["state"], &told["reason"]), (&"returned".into(), &"pasted_wrong".into()), "{told}");
        branch.company.is_level_with(&[&branch.li, &branch.wang, &branch.tablet]);
    }
}

#[test]
fn a_withdrawal_that_meets_a_dispatched_claim_leaves_it_in_the_batch_and_nothing_is_paid() {
    let mut branch = Branch::meet();
    let claim = branch.submitted();
    branch.li.ask(["claim", "withdraw", &claim]);
    branch.approved(&claim);
    branch.posted(&[&claim]);
    branch.level(&[&branch.wang, &branch.li, &branch.wang, &branch.tablet]);

    assert_eq!(branch.state(&claim), "in_transit");
    assert_eq!(branch.office(&format!("show {claim}"))["flags"][0], "withdrawn_in_transit");
    for device in [&branch.li, &branch.wang, &branch.tablet] {
        let shown = device.ask(["claim", "show", &claim]);
        assert_eq!(shown["state"], "in_transit", "{shown}");
        assert_eq!(shown["flags"][0], "withdrawn_in_transit", "{shown}");
    }
    let batch = &branch.wang.ask(["batch", "show", "HZ-202503-B"])["claims"][0];
    assert_eq!((&batch["number"], &batch["flags"][0]), (&NO.into(), &"withdrawn_in_transit".into()));

    branch.at(WEDNESDAY);
    branch.office("batch receive HZ-202503-B --all --as A001");
    let line = branch.office(&format!("audit line {NO} --line 1 --verdict void --as A001"));
    assert_eq!(line["payable_fen"], 0, "{line}");
    let forced = format!("--json audit line {NO} --line 1 --verdict ok --payable 60.00 --as A001");
    let refused = branch.company.hq.run(forced.split(' ')).ended(1);
    assert_eq!(refused.json()["error"]["rule"], "H-21");
    // The auditor has read what came too late before he ends the audit.
    let unread = format!("--json audit done {NO} --as A001");
    assert_eq!(branch.company.hq.run(unread.split(' ')).ended(1).json()["error"]["rule"], "C-07");
    let done = branch.office(&format!("audit done {NO} --ack C-37 --as A001"));
    assert_eq!((&done["state"], &done["payable_total_fen"]), (&"audited".into(), &0.into()), "{done}");
}

/// An invoice of 60.00 yuan of a digital kind.
const QR: &str = "01,32,,25332000000012345678,60.00,20250305,,";

#[test]
fn of_two_claims_with_one_invoice_the_first_to_arrive_keeps_it_and_the_other_is_told() {
    let branch = Branch::meet();
    let zhao = branch.company.device(ZHAO);
    zhao.sync();
    let add = ["voucher", "add", "--category", "other_service", "--amount", "60.00", "--qr", QR];
    // Li is the first to submit, Zhao the first whom headquarters hears.
    let [late, first] = [&branch.li, &zhao].map(|device| {
        device.ask(add);
        let id = text(&device.ask(["claim", "draft", "2025-03-H1"])["id"]);
        device.ask(["claim", "submit", &id]);
        id
    });
    branch.level(&[&zhao, &branch.li, &branch.wang]);

    let payable = |claim: &str| {
        let line = branch.office(&format!("claim show {claim}"))["lines"][0].clone();
        (text(&line["claimed"]), text(&line["payable"]))
    };
    assert_eq!(payable(&first), ("60.00".to_owned(), "60.00".to_owned()));
    assert_eq!(payable(&late), ("60.00".to_owned(), "0.00".to_owned()));
    let told = |claim: &str| branch.alerts(claim).contains(&"B6".to_owned());
    assert!(told(&late) && !told(&first));
    let shown = branch.wang.ask(["review", "show", &late]);
    let anomalies = shown["anomalies"].as_array().expect("a list");
    assert!(anomalies.iter().any(|anomaly| anomaly["rule"] == "B6"), "{shown}");
    // Nobody was called a liar: the claim waits for its review as any other.
    assert_eq!((branch.state(&first), branch.state(&late)), ("submitted".into(), "submitted".into()));
    branch.company.is_level_with(&[&branch.li, &zhao, &branch.wang]);
}

#[test]
fn a_claim_keeps_the_policy_of_its_day_when_a_new_one_comes_between() {
    let mut branch = Branch::meet();
    let old = branch.submitted();
    branch.at(MONDAY);
    let file = branch.company.hq.file("policy.toml", "version = \"2025-03/1\"\n[vp]\nthreshold_fen = 5000\n");
    branch.office(&format!("policy load {} --valid-from 2025-03-17", file.display()));
    branch.level(&[&branch.li, &branch.wang]);
    let new = submits(&branch.li, "61.00");
    branch.level(&[&branch.li, &branch.wang]);
    for (claim, version) in [(&old, "2022-06/1"), (&new, "2025-03/1")] {
        let shown = branch.office(&format!("claim show {claim}"));
        assert_eq!(shown["policy_version"], version, "{shown}");
        assert_eq!(branch.wang.ask(["review", "show", claim])["policy"], version);
        branch.approved(claim);
    }
    branch.posted(&[&old, &new]);
    branch.level(&[&branch.wang]);
    branch.at(WEDNESDAY);
    branch.office("batch receive HZ-202503-B --all --as A001");
    // Both are of more than the fifty yuan from which the new policy asks the vice-president.
    for (claim, state) in [(&old, "mgr_approved"), (&new, "vp_pending")] {
        branch.office(&format!("audit done {claim} --as A001"));
        branch.office(&format!("approve {claim} --as M001"));
        assert_eq!(branch.state(claim), state);
    }
}

#[test]
fn an_old_return_that_comes_after_the_payment_changes_nothing_and_is_told() {
    let mut branch = Branch::meet();
    let claim = branch.submitted();
    branch.tablet.ask(["review", "return", &claim, "--reason", "pasted_wrong"]);
    branch.approved(&claim);
    branch.posted(&[&claim]);
    branch.level(&[&branch.wang]);
    branch.at(WEDNESDAY);
    branch.office("batch receive HZ-202503-B --all --as A001");
    branch.office(&format!("audit done {NO} --as A001"));
    branch.office(&format!("approve {NO} --as M001"));
    branch.office(&format!("audit hand-over {NO} --as A001"));
    branch.office("pay accept --all --as F001");
    let account = branch.company.hq.file(
        "account.csv",
        "code,account_name,account_no,bank_name,bank_branch,cnaps\nT101,李雷,6222020200112233445,工商银行,,\n",
    );
    branch.office(&format!("account import {}", account.display()));
    let payment = text(&branch.office("pay batch --as F001")["payment_no"]);
    branch.office(&format!("pay approve {payment} --as F002"));
    let out = branch.company.hq.file("bank.csv", "");
    std::fs::remove_file(&out).expect("a file of ours");
    branch.office(&format!("pay export {payment} --out {} --as F001", out.display()));
    branch.office(&format!("pay confirm {payment} --as F001"));
    assert_eq!(branch.state(NO), "paid");

    branch.level(&[&branch.tablet, &branch.li, &branch.wang]);
    let shown = branch.office(&format!("claim show {NO}"));
    assert_eq!((&shown["state"], &shown["payable_total"]), (&"paid".into(), &"60.00".into()));
    assert_eq!(branch.alerts(NO), ["C-37"]);
    let again = branch.company.hq.run(["--json", "pay", "batch", "--as", "F001"]).ended(1).json();
    assert_eq!(again["error"]["rule"], "H-11", "{again}");
    for device in [&branch.li, &branch.wang, &branch.tablet] {
        assert_eq!(device.ask(["claim", "show", &claim])["state"], "paid");
        assert_eq!(standings(device, &claim, "sup_return"), ["too_late"]);
    }
    assert_eq!(told(&branch.tablet, &claim)["what"], "too_late");
    branch.company.is_level_with(&[&branch.li, &branch.wang, &branch.tablet]);
}
