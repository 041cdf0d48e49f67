//! A whole cycle of money: from a half-month's real vouchers to the payment, by the commands that people type.
//!
//! Two branches, three engineers, a supervisor's own claim, reviews offline, the post, the audit, a false claim,
//! the vice-president, finance's closed days; and everything is paid once.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::company::text;
use crate::world::{Device, Hq};

const TABLES: [(&str, &str); 4] = [
    (
        "org",
        "code,name,kind,parent,lump_sum\n\
         JL,江澜机电,company,,\n\
         HZ,杭州分公司,branch,JL,\n\
         NJ,南京分公司,branch,JL,\n\
         HZC,杭州客服中心,service_center,HZ,true\n\
         NJC,南京客服中心,service_center,NJ,\n",
    ),
    (
        "staff",
        "code,name,unit,roles\n\
         T006,刘洋,HZC,engineer\n\
         T012,王磊,HZC,engineer\n\
         T114,陈静,NJC,engineer\n\
         S100,赵敏,HZC,supervisor;engineer\n\
         S200,周海燕,NJC,supervisor\n\
         G100,吴建平,HZ,branch_gm\n\
         G200,郑伟,NJ,branch_gm\n\
         A001,何伟,JL,auditor\n\
         M001,孙丽,JL,cs_manager\n\
         V001,钱进,JL,sales_vp\n\
         F001,冯涛,JL,finance\n\
         F002,蒋琳,JL,finance\n",
    ),
    ("cap", "code,unit,category,amount,valid_from\nHZC-PHONE,HZC,phone,150.00,2025-01-01\n"),
    (
        "account",
        "code,account_name,account_no,bank_name\n\
         T006,=HYPERLINK(1),6222020000000000006,中国工商银行\n\
         T012,王磊,6222020000000000012,中国银行\n\
         T114,陈静,6222020000000000114,建设银行\n\
         S100,赵敏,6222020000000000100,农业银行\n",
    ),
];

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The company and the people's devices, all at one moment.
pub(crate) struct Play {
    pub(crate) hq: Hq,
    folder: tempfile::TempDir,
}

impl Play {
    pub(crate) fn found() -> Self {
        let mut hq = Hq::init();
        hq.now = Some("2025-03-01T08:00:00+08:00".to_owned());
        for (kind, table) in TABLES {
            let file = hq.file(&format!("{kind}.csv"), table);
            let done = hq.run(["--json", kind, "import", file.to_str().unwrap()]).ended(0).json();
            assert_eq!(done["added"], table.lines().count() - 1, "{kind}: {done}");
        }
        hq.serve();
        Self { hq, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn device(&self, staff: &str) -> Device {
        let mut device = Device::new();
        device.now.clone_from(&self.hq.now);
        device.run(["enrol", &self.hq.device_code(staff, &self.hq.url())]).ended(0);
        device.sync();
        device
    }

    /// Takes an office step.
    #[track_caller]
    pub(crate) fn office(&mut self, now: &str, args: &[&str]) -> Value {
        self.hq.now = Some(now.to_owned());
        self.hq.run(["--json"].iter().chain(args)).ended(0).json()
    }

    /// Sees an office step refused by a rule.
    #[track_caller]
    pub(crate) fn refused(&mut self, now: &str, args: &[&str], rule: &str) {
        self.hq.now = Some(now.to_owned());
        let told = self.hq.run(args).ended(1);
        assert!(told.stderr.contains(&format!("[{rule}]")), "{}", told.stderr);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Brings one person's rows of the samples onto his device; what has no category becomes another service cost.
    #[track_caller]
    fn import(&self, device: &Device, staff: &str) {
        for (file, mapping) in
            [("sheets.jsonl", "workload-sheets.toml"), ("vouchers.jsonl", "workload-vouchers.toml")]
        {
            let all = std::fs::read_to_string(tree().join("samples/expenses").join(file)).unwrap();
            let own: String =
                all.lines().filter(|line| line.contains(staff)).map(|line| format!("{line}\n")).collect();
            let rows = self.path(&format!("{staff}-{file}"));
            std::fs::write(&rows, own).unwrap();
            let mapping = tree().join("mappings").join(mapping);
            device.ask(["import", rows.to_str().unwrap(), "--map", mapping.to_str().unwrap()]);
        }
        for voucher in device.ask(["voucher", "list"]).as_array().unwrap() {
            if voucher["amount_fen"].as_i64().is_some_and(|fen| fen > 0) {
                device.ask(["voucher", "set", &text(&voucher["code"]), "category=other_service"]);
            }
        }
    }
}

/// Drafts and submits the claim of the first half of March; returns its number.
#[track_caller]
pub(crate) fn submit(device: &Device) -> String {
    let drafted = device.ask(["claim", "draft", "2025-03-H1"]);
    let submitted = device.ask(["claim", "submit", &text(&drafted["code"])]);
    device.sync();
    text(&submitted["number"])
}

fn fen(of: &Value) -> i64 {
    of.as_i64().unwrap_or_else(|| panic!("{of} is no amount"))
}

#[test]
fn a_half_month_goes_from_the_vouchers_to_the_payment_and_is_paid_once() {
    let mut play = Play::found();
    let devices = ["T006", "T012", "T114", "S100", "S200", "G100", "G200"].map(|staff| play.device(staff));
    let [mut liu, mut wang, mut chen, mut zhao, mut zhou, mut wu, mut zheng] = devices;
    let at = |now: &str, all: &mut [&mut Device]| {
        for device in all.iter_mut() {
            device.now = Some(now.to_owned());
        }
    };
    at(
        "2025-03-16T09:00:00+08:00",
        &mut [&mut liu, &mut wang, &mut chen, &mut zhao, &mut zhou, &mut wu, &mut zheng],
    );

    // The engineers, without a network: one above a ceiling, one with another's invoice and above 2,000.00.
    play.import(&liu, "T006");
    play.import(&wang, "T012");
    play.import(&chen, "T114");
    for amount in ["100.00", "80.00"] {
        liu.make(["voucher", "add", "--category", "phone", "--amount", amount, "--date", "2025-03-05"]);
    }
    let rows = std::fs::read_to_string(tree().join("samples/expenses/vouchers.jsonl")).unwrap();
    let hotel = rows.lines().map(|row| serde_json::from_str::<Value>(row).unwrap());
    let hotel = hotel.into_iter().find(|row| row["tech"] == "T012" && row["amt"] == 31_000).unwrap();
    let other =
        |amount, date| ["voucher", "add", "--category", "other_service", "--amount", amount, "--date", date];
    chen.make(other("888.00", "2025-03-05"));
    chen.make(other("310.00", "2025-03-10").into_iter().chain(["--qr", hotel["qr"].as_str().unwrap()]));
    wang.make(other("45.00", "2025-01-10"));
    zhao.make(["voucher", "add", "--category", "phone", "--amount", "60.00", "--date", "2025-03-07"]);
    // What is too old stays out, and is told.
    let drafted = wang.ask(["claim", "draft", "2025-03-H1", "--from-half", "2025-01-H1"]);
    assert_eq!(drafted["left_out"][0]["rule"], "B5", "{drafted}");

    let numbers = [&liu, &wang, &chen, &zhao].map(submit);
    let expected = ["HZC-T006-2025-0001", "HZC-T012-2025-0001", "NJC-T114-2025-0001", "HZC-S100-2025-0001"];
    assert_eq!(numbers, expected);
    let [c_liu, c_wang, c_chen, c_zhao] = expected;
    play.office("2025-03-16T12:00:00+08:00", &["tick"]);
    let own = play.office("2025-03-16T12:00:00+08:00", &["claim", "show", c_zhao]);
    assert_eq!(own["state"], "sup_approved", "a supervisor's own claim goes up: {own}");

    // Reviews on the train.
    for device in [&zhao, &zhou, &wu, &zheng] {
        device.sync();
    }
    zhou.run(["review", "approve", c_chen, "--vouchers", "7", "--ack", "A1", "--ack", "B6"]).ended(1);
    zhou.run(["review", "approve", c_chen, "--vouchers", "8", "--ack", "B6"]).ended(1);
    let review = |device: &Device, claim: &str, vouchers: &str| {
        let all = device.ask(["review", "show", claim]);
        let mut args = vec!["review".to_owned(), "approve".to_owned(), claim.to_owned()];
        args.extend(["--vouchers".to_owned(), vouchers.to_owned()]);
        for anomaly in all["anomalies"].as_array().unwrap_or_else(|| panic!("{all}")) {
            args.extend(["--ack".to_owned(), text(&anomaly["rule"])]);
        }
        device.run(std::iter::once("--json".to_owned()).chain(args)).ended(0);
    };
    zhao.ask(["review", "cut", c_liu, "--line", "2", "--to", "350.00", "--reason", "unreasonable"]);
    zhao.run(["review", "approve", c_zhao, "--vouchers", "1"]).ended(1);
    review(&zhao, c_liu, "7");
    review(&zhao, c_wang, "7");
    review(&zhou, c_chen, "8");
    for device in [&zhao, &zhou, &wu, &zheng] {
        device.sync();
    }
    for (claim, vouchers) in [(c_liu, "7"), (c_wang, "7"), (c_zhao, "1")] {
        review(&wu, claim, vouchers);
    }
    review(&zheng, c_chen, "8");
    for device in [&wu, &zheng, &zhao, &zhou] {
        device.sync();
    }

    // The envelopes.
    at("2025-03-17T10:00:00+08:00", &mut [&mut zhao, &mut zhou]);
    for (device, waybill) in [(&zhao, "SF100"), (&zhou, "SF200")] {
        let batch = text(&device.ask(["batch", "open", "2025-03-B"])["code"]);
        device.ask(["batch", "add", "--all"]);
        device.ask(["batch", "seal", &batch]);
        device.ask(["batch", "dispatch", &batch, "--waybill", waybill]);
        device.sync();
    }

    // One claim does not come with the envelope, and is found the next day.
    let now = "2025-03-20T10:00:00+08:00";
    let both = format!("{c_wang},{c_zhao}");
    let came = play.office(
        now,
        &["batch", "receive", "HZ-202503-B", "--as", "A001", "--found", &both, "--missing", c_liu],
    );
    assert_eq!(came["state"], "part_received", "{came}");
    play.office(now, &["batch", "receive", "NJ-202503-B", "--as", "A001", "--all"]);
    let gaps = play.office(now, &["gaps"]);
    assert_eq!((&gaps[0]["fault"], &gaps[0]["first"]), (&"lost_in_transit".into(), &c_liu.into()), "{gaps}");
    play.office("2025-03-21T10:00:00+08:00", &["batch", "found", c_liu, "--as", "A001"]);
    assert_eq!(play.office("2025-03-21T10:00:00+08:00", &["gaps"]), serde_json::json!([]));

    // The audit: an expense that never happened, an invoice that is another's, a ceiling.
    let now = "2025-03-24T10:00:00+08:00";
    let lines = play.office(now, &["claim", "show", c_wang])["lines"].clone();
    let made_up = lines.as_array().unwrap().iter().find(|line| fen(&line["claimed_fen"]) == 145_670).unwrap();
    let line = made_up["line"].to_string();
    let ruled = [
        "audit",
        "line",
        c_wang,
        "--line",
        &line,
        "--verdict",
        "false_claim",
        "--reason",
        "无此住宿",
        "--as",
        "A001",
    ];
    assert_eq!(play.office(now, &ruled)["payable_fen"], 0);
    let case = [
        "case",
        "propose",
        c_wang,
        "--kind",
        "false_claim",
        "--line",
        &line,
        "--evidence",
        "酒店无入住记录",
        "--as",
        "A001",
    ];
    let case = text(&play.office(now, &case)["code"]);
    for claim in expected {
        let shown = play.office(now, &["claim", "show", claim]);
        let mut args = vec!["audit", "done", claim, "--as", "A001"];
        for alert in shown["alerts"].as_array().unwrap() {
            args.extend(["--ack", alert["rule"].as_str().unwrap()]);
        }
        let state = play.office(now, &args)["state"].clone();
        assert_eq!(state, "audited", "{claim}");
    }
    let paid =
        |play: &mut Play, claim: &str| fen(&play.office(now, &["claim", "show", claim])["payable_total_fen"]);
    assert_eq!(paid(&mut play, c_chen), 243_143 - 31_000, "the invoice was another's");
    assert_eq!(paid(&mut play, c_wang), 187_666 - 145_670, "the false line alone is not paid");
    assert_eq!(paid(&mut play, c_zhao), 6_000);
    let liu_paid = paid(&mut play, c_liu);
    let shown = play.office(now, &["claim", "show", c_liu]);
    assert_eq!(shown["self_paid_total_fen"], 3_000, "180.00 under a ceiling of 150.00: {shown}");

    // The manager, then above 2,000.00 the vice-president: in finance's closed days, so it waits for the 10th.
    let now = "2025-03-25T10:00:00+08:00";
    let approve = |play: &mut Play, now: &str, claim: &str, who: &str| {
        let shown = play.office(now, &["claim", "show", claim]);
        let mut args = vec!["approve", claim, "--as", who];
        for alert in shown["alerts"].as_array().unwrap() {
            args.extend(["--ack", alert["rule"].as_str().unwrap()]);
        }
        play.office(now, &args)
    };
    for claim in expected {
        approve(&mut play, now, claim, "M001");
    }
    assert_eq!(play.office(now, &["claim", "show", c_chen])["state"], "vp_pending");
    play.office("2025-03-26T10:00:00+08:00", &["audit", "hand-over", "--ready", "--as", "A001"]);
    play.office("2025-03-26T15:00:00+08:00", &["pay", "accept", "--all", "--as", "F001"]);
    let now = "2025-04-01T10:00:00+08:00";
    assert_eq!(approve(&mut play, now, c_chen, "V001")["state"], "vp_approved");
    let held = play.office(now, &["audit", "hand-over", c_chen, "--as", "A001"]);
    assert_eq!(
        (&held[0]["state"], &held[0]["opens"]),
        (&"held_blackout".into(), &"2025-04-10".into()),
        "{held}"
    );
    play.refused(now, &["pay", "accept", c_chen, "--as", "F001"], "P-24");

    // Finance pays what it has, and later the one that waited; a second person approves each time.
    let pay = |play: &mut Play, now: &str, n: usize| -> i64 {
        let drafted = play.office(now, &["pay", "batch", "--as", "F001"]);
        assert_eq!(drafted["n_claims"], n, "{drafted}");
        let no = text(&drafted["payment_no"]);
        play.refused(now, &["pay", "approve", &no, "--as", "F001"], "H-12");
        play.office(now, &["pay", "approve", &no, "--as", "F002"]);
        let file = play.path(&format!("{no}.csv"));
        play.office(now, &["pay", "export", &no, "--as", "F001", "--out", file.to_str().unwrap()]);
        let csv = std::fs::read_to_string(&file).unwrap();
        assert!(!csv.contains(",=HYPERLINK"), "a cell that a spreadsheet would run: {csv}");
        let done = play.office(now, &["pay", "confirm", &no, "--as", "F001"]);
        assert_eq!(done["state"], "confirmed", "{done}");
        fen(&done["total_fen"])
    };
    let first = pay(&mut play, "2025-04-02T10:00:00+08:00", 3);
    assert_eq!(first, liu_paid + 41_996 + 6_000);
    let now = "2025-04-10T10:00:00+08:00";
    play.office(now, &["tick"]);
    play.office(now, &["pay", "accept", c_chen, "--as", "F001"]);
    assert_eq!(pay(&mut play, now, 1), 212_143);
    for claim in expected {
        assert_eq!(play.office(now, &["claim", "show", claim])["state"], "paid", "{claim}");
    }
    play.refused(now, &["pay", "accept", c_liu, "--as", "F001"], "C-01");

    // The case: fifty yuan each, and the appraisal; nothing of it comes off a claim.
    let confirmed = play.office(now, &["case", "confirm", &case, "--as", "M001"]);
    let fines: Vec<i64> =
        confirmed["fines"].as_array().unwrap().iter().map(|fine| fen(&fine["amount_fen"])).collect();
    assert_eq!(fines, [5_000, 5_000], "{confirmed}");
    assert_eq!(confirmed["mark"]["grade"], "C");

    // Who decided what stands in a chain that shows every change; and the claimant sees that he was paid.
    let trail = play.path("trail.jsonl");
    let file = trail.to_str().unwrap();
    play.office(now, &["trail", "export", "--out", file]);
    assert_eq!(play.office(now, &["trail", "verify", file])["whole"], true);
    let forged = std::fs::read_to_string(&trail).unwrap().replacen("M001", "M002", 1);
    std::fs::write(&trail, forged).unwrap();
    play.hq.run(["trail", "verify", file]).ended(1);
    at("2025-04-11T09:00:00+08:00", &mut [&mut chen]);
    chen.sync();
    assert_eq!(chen.ask(["claim", "show", c_chen])["state"], "paid");
    let doctor = play.hq.run(["--json", "doctor"]).ended(0).json();
    assert_eq!(doctor["views_ok"], true, "{doctor}");
}
