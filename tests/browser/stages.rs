//! How far the money has come before a flow begins: brought there by the commands that people type.

use crate::company::text;
use crate::town::{AUDITOR, FINANCE, MANAGER, Town};
use crate::world::Device;

/// When the half-month is over and the claims are made.
pub(crate) const CLAIM_DAY: &str = "2025-03-16T09:00:00+08:00";
/// When the batch goes to the post.
pub(crate) const POST_DAY: &str = "2025-03-17T10:00:00+08:00";
/// When the envelope lies on the auditor's desk.
pub(crate) const ENVELOPE_DAY: &str = "2025-03-20T10:00:00+08:00";
/// When the manager decides.
pub(crate) const MANAGER_DAY: &str = "2025-03-21T10:00:00+08:00";
/// Before finance closes for the month's end.
pub(crate) const FINANCE_DAY: &str = "2025-03-24T10:00:00+08:00";

/// Records a sealed repair of the half-month and the taxi to it.
#[track_caller]
pub(crate) fn work(device: &mut Device) {
    device.now = Some(CLAIM_DAY.to_owned());
    let sheet = device.make([
        "sheet",
        "new",
        "repair",
        "--set",
        "customer=C001",
        "--set",
        "arrived=2025-03-05 09:00",
        "--set",
        "left=2025-03-05 11:00",
        "--set",
        "problem=排气压力不足",
        "--set",
        "work_done=更换进气滤芯",
        "--set",
        "result=done",
    ]);
    device.ask(["sheet", "seal", &sheet, "--no-sign", "absent"]);
    let taxi =
        ["voucher", "add", "--category", "city_transport", "--amount", "35.00", "--date", "2025-03-05"];
    device.make(taxi.into_iter().chain(["--sheet", &sheet]));
}

/// Makes and submits the claim of that work and sends it; returns its number.
#[track_caller]
pub(crate) fn submitted(device: &mut Device) -> String {
    work(device);
    device.ask(["trip", "submit", "2025-03-H1"]);
    let drafted = text(&device.ask(["claim", "draft", "2025-03-H1"])["code"]);
    let submitted = device.ask(["claim", "submit", &drafted, "--reason", "R6=主管与报销单一并审批"]);
    device.sync();
    text(&submitted["number"])
}

/// Approves all that waits for the person of that device.
#[track_caller]
pub(crate) fn approved(device: &mut Device) {
    device.now = Some(CLAIM_DAY.to_owned());
    device.sync();
    for waiting in device.ask(["review", "list"]).as_array().expect("a list") {
        let code = text(&waiting["code"]);
        let mut args = vec!["review".to_owned(), "approve".to_owned(), code.clone()];
        if waiting["kind"] == "claim" {
            args.extend(["--vouchers".to_owned(), waiting["vouchers"].to_string()]);
            let shown = device.ask(["review", "show", &code]);
            for anomaly in shown["anomalies"].as_array().expect("a list") {
                args.extend(["--ack".to_owned(), text(&anomaly["rule"])]);
            }
        }
        device.run(std::iter::once("--json".to_owned()).chain(args)).ended(0);
    }
    device.sync();
}

/// Puts everything that is approved into an envelope and posts it; returns the batch's number.
#[track_caller]
pub(crate) fn posted(supervisor: &mut Device) -> String {
    supervisor.now = Some(POST_DAY.to_owned());
    supervisor.sync();
    let batch = text(&supervisor.ask(["batch", "open", "2025-03-B"])["number"]);
    supervisor.ask(["batch", "add", "--all"]);
    supervisor.ask(["batch", "seal", &batch]);
    supervisor.ask(["batch", "dispatch", &batch, "--waybill", "SF100"]);
    supervisor.sync();
    batch
}

impl Town {
    /// Takes an office step at that moment.
    #[track_caller]
    pub(crate) fn office(&mut self, now: &str, args: &[&str]) -> serde_json::Value {
        self.hq.now = Some(now.to_owned());
        self.hq.run(["--json"].iter().chain(args)).ended(0).json()
    }

    /// Brings claims from the post to finance's desk: received, audited, approved, handed over.
    #[track_caller]
    pub(crate) fn brought_to_finance(&mut self, batch: &str, claims: &[&str]) {
        self.office(ENVELOPE_DAY, &["batch", "receive", batch, "--as", AUDITOR, "--all"]);
        for claim in claims {
            self.acknowledged(ENVELOPE_DAY, &["audit", "done"], claim, AUDITOR);
            self.acknowledged(MANAGER_DAY, &["approve"], claim, MANAGER);
        }
        self.office(MANAGER_DAY, &["audit", "hand-over", "--ready", "--as", AUDITOR]);
        self.office(FINANCE_DAY, &["pay", "accept", "--all", "--as", FINANCE]);
    }

    fn acknowledged(&mut self, now: &str, step: &[&str], claim: &str, who: &str) {
        let shown = self.office(now, &["claim", "show", claim]);
        let mut args = step.to_vec();
        args.extend([claim, "--as", who]);
        for alert in shown["alerts"].as_array().expect("a list") {
            args.extend(["--ack", alert["rule"].as_str().expect("a rule")]);
        }
        self.office(now, &args);
    }

    /// Serves anew with the clock at that moment.
    #[track_caller]
    pub(crate) fn opens_at(&mut self, now: &str) {
        self.hq.kill();
        self.hq.now = Some(now.to_owned());
        self.hq.serve();
    }
}
