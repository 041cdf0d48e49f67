//! A device in a temporary folder, worked as a person works it: by commands.

use std::collections::BTreeMap;
use std::ffi::OsString;

use records::kinds::staff::Role;
use serde_json::Value;
use sync_protocol::enrolment::Enrolment;

use crate::cli::{Invocation, Streams};

/// The instant at which every command runs.
pub(crate) const NOW: &str = "2026-11-22T09:30:00+08:00";

/// A home and the language of its owner.
pub(crate) struct Device {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) lang: &'static str,
}

/// What a command printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Returns what HQ wrote into a code for an engineer.
pub(crate) fn enrolment(replica: u32) -> Enrolment {
    Enrolment {
        replica: records::id::Replica(replica),
        roles: vec![Role::ENGINEER],
        expires_ms: u64::MAX,
        center_code: "HZ01".into(),
        staff_code: "T006".into(),
        staff_name: "李工".into(),
        unit_name: "杭州客服中心".into(),
        company: "示例公司".into(),
        ..crate::store::testing::enrolment()
    }
}

impl Device {
    /// Returns a folder that no device lives in yet.
    pub(crate) fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            lang: "en",
        }
    }

    /// Returns an enrolled device.
    pub(crate) fn new() -> Self {
        let device = Self::empty();
        let ran = device.run(&["enrol", &enrolment(7).to_code()]);
        assert_eq!(ran.exit, 0, "{}", ran.err);
        device
    }

    /// Runs a command.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, "")
    }

    /// Runs a command that reads from standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Ran {
        let home = self.dir.path().join("home");
        let mut args: Vec<OsString> = vec!["fieldbook".into(), "--home".into(), home.into()];
        args.extend(["--lang", self.lang, "--now", NOW].map(OsString::from));
        args.extend(words.iter().map(OsString::from));
        let env = BTreeMap::from([("FIELDBOOK_TEST_CLOCK".to_owned(), "1".to_owned())]);
        let invocation = Invocation {
            args,
            env,
            ..Invocation::default()
        };
        let (mut input, mut out, mut err) = (input.as_bytes(), Vec::new(), Vec::new());
        let exit = crate::cli::run(
            &invocation,
            &mut Streams {
                input: &mut input,
                out: &mut out,
                err: &mut err,
            },
        );
        Ran {
            exit,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    /// Runs a command with `--json` and returns its answer.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let ran = self.run(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}{}", ran.out, ran.err))
    }

    /// Runs a command that must be done.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.exit, 0, "{words:?}: {}", ran.err);
        ran.out
    }

    /// Makes a repair sheet that is ready for its seal, and returns its code.
    pub(crate) fn ready(&self) -> String {
        let made = self.json(&[
            "sheet",
            "new",
            "repair",
            "--set",
            "customer=Acme",
            "--set",
            "product=Pump",
            "--set",
            "result=done",
            "--set",
            "arrived=2026-11-22 08:00",
            "--set",
            "left=2026-11-22 09:00",
        ]);
        made["code"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_repair_sheet_goes_from_nothing_to_its_seal_without_a_network() {
    let device = Device::new();
    let code = device.json(&["sheet", "new", "repair", "--set", "customer=Acme"])["code"]
        .as_str()
        .unwrap()
        .to_owned();
    device.done(&[
        "sheet",
        "set",
        &code,
        "product=Pump",
        "problem=leaks = drips",
        "arrived=2026-11-22 08:00",
    ]);
    device.done(&["sheet", "add", &code, "part", "SP-6487", "2"]);
    device.done(&["sheet", "add", &code, "time", "kind=labour", "min=40"]);
    device.done(&["sheet", "add", &code, "note", "came by bus"]);

    let early = device.run(&["sheet", "seal", &code, "--no-sign", "absent"]);
    assert_eq!(early.exit, 1, "{}", early.out);
    assert!(
        early.err.contains("S-01") && early.err.contains("S-03"),
        "{}",
        early.err
    );
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "draft");

    device.done(&["sheet", "set", &code, "left=2026-11-22 09:10", "result=done"]);
    let sealed = device.json(&["sheet", "seal", &code, "--no-sign", "absent"]);
    assert_eq!(sealed["number"], "RHZ01-T006-2611-001");

    let shown = device.json(&["sheet", "show", "RHZ01-T006-2611-001"]);
    assert_eq!(shown["state"], "sealed");
    assert_eq!(shown["fields"]["problem"], "leaks = drips");
    assert_eq!(shown["lists"]["part"][0]["qty"], "2");
    assert_eq!(shown["decisions"][0]["step"], "seal");

    let late = device.run(&["sheet", "set", &code, "result=partly"]);
    assert_eq!(late.exit, 1);
    assert!(
        late.err.contains("[W-06]") && late.err.contains("hint: "),
        "{}",
        late.err
    );
    device.done(&["sheet", "add", &code, "note", "invoice follows"]);
    assert_eq!(
        device.json(&["sheet", "list", "--state", "sealed"])[0]["number"],
        "RHZ01-T006-2611-001"
    );
    let status = device.json(&["status"]);
    assert_eq!(
        (&status["documents"], &status["next_sheet_no"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn what_is_refused_says_why_and_changes_nothing() {
    let device = Device::new();
    let code = device.ready();
    let before = device.json(&["sheet", "show", &code]);
    let check = |words: &[&str], exit: u8, part: &str| {
        let ran = device.run(words);
        assert_eq!(ran.exit, exit, "{words:?}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains(part) && ran.err.contains("hint: "),
            "{words:?}: {}",
            ran.err
        );
        assert!(ran.out.is_empty(), "{words:?}: {}", ran.out);
        for rust in ["Error", "::", "Some(", "None", "unwrap"] {
            assert!(!ran.err.contains(rust), "{words:?}: {}", ran.err);
        }
    };
    check(&["sheet", "set", &code, "charge=12.345"], 1, "12.345");
    check(&["sheet", "set", &code, "colour=red"], 1, "[W-01]");
    check(&["sheet", "set", &code, "produkt=x"], 1, "product");
    check(
        &["sheet", "set", &code, "result=great"],
        1,
        "done, partly, not_done",
    );
    check(&["sheet", "set", &code, "arrived=31/02"], 1, "2026-11-22 09:30");
    check(&["sheet", "set", "ZZZZZZZZ", "result=done"], 1, "[W-03]");
    check(&["sheet", "set", &code, "result"], 2, "result");
    check(&["sheet", "add", &code, "wheel", "x"], 1, "part");
    check(&["sheet", "seal", &code], 1, "S-07");
    check(
        &["sheet", "seal", &code, "--no-sign", "tired"],
        1,
        "refused, absent",
    );
    check(&["sheet", "list", "--state", "open"], 2, "draft");
    check(&["sheet", "list", "--since", "yesterday"], 2, "yesterday");
    check(&["sheet", "shw"], 2, "show");
    assert_eq!(device.json(&["sheet", "show", &code]), before);
}

#[test]
fn a_home_is_enrolled_once_and_only_with_a_whole_fresh_code() {
    let device = Device::empty();
    assert_eq!(device.run(&["status"]).exit, 1);
    let code = enrolment(7).to_code();
    let cut = device.run(&["enrol", &code[..code.len() - 8]]);
    assert_eq!(cut.exit, 1);
    assert!(cut.err.contains("cut short"), "{}", cut.err);
    let old = Enrolment {
        expires_ms: 1,
        ..enrolment(7)
    };
    assert!(device.run(&["enrol", &old.to_code()]).err.contains("[W-17]"));
    assert!(!device.dir.path().join("home").exists());
    let file = device.dir.path().join("code.txt");
    std::fs::write(&file, format!("{code}\n")).unwrap();
    let answer = device.json(&["enrol", "--file", file.to_str().unwrap()]);
    assert_eq!(answer["staff"]["name"], "李工");
    assert!(device.run(&["enrol", &code]).err.contains("[W-16]"));
}

#[test]
fn a_sealed_sheet_is_corrected_by_a_new_one() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "seal", &code, "--no-sign", "remote"]);
    let refused = device.run(&["sheet", "void", &code]);
    assert!(refused.err.contains("[W-07]"), "{}", refused.err);
    let amended = device.json(&[
        "sheet",
        "amend",
        &code,
        "--reason",
        "wrong pump",
        "--set",
        "product=Fan",
    ]);
    let new = amended["code"].as_str().unwrap();
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "sealed");
    device.done(&["sheet", "seal", new, "--no-sign", "remote"]);
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "amended");
    let fields = &device.json(&["sheet", "show", new])["fields"];
    assert_eq!(
        (&fields["product"], &fields["customer"]["text"]),
        (&"Fan".into(), &"Acme".into())
    );
    let other = device.ready();
    device.done(&["sheet", "void", &other]);
    assert_eq!(device.json(&["sheet", "show", &other])["state"], "void");
}

#[test]
fn a_history_tells_each_value_from_what_to_what() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "set", &code, "product=Fan"]);
    device.done(&["sheet", "add", &code, "note", "hello"]);
    let history = device.json(&["sheet", "history", &code]);
    let set = history
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["to"] == "Fan")
        .unwrap();
    assert_eq!(
        (&set["from"], &set["by"], &set["standing"]),
        (&"Pump".into(), &"李工".into(), &"current".into())
    );
    let first = history
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["to"] == "Pump")
        .unwrap();
    assert_eq!(first["standing"], "replaced");
    assert!(device.done(&["sheet", "history", &code]).contains("hello"));
}

#[test]
fn a_voucher_needs_what_the_policy_asks_for() {
    let device = Device::new();
    let photo = device.dir.path().join("slip.jpg");
    std::fs::write(&photo, b"not really a picture").unwrap();
    let photo = photo.to_str().unwrap();
    let add = [
        "voucher",
        "add",
        "--category",
        "city_transport",
        "--amount",
        "35.00",
        "--date",
        "2026-11-20",
    ];
    let made = device.json(&[&add[..], &["--photo", photo]].concat());
    let shown = device.json(&["voucher", "show", made["code"].as_str().unwrap()]);
    assert_eq!(
        (&shown["fields"]["amount_fen"], &shown["fields"]["amount"]),
        (&3500.into(), &"35.00".into())
    );
    assert_eq!(shown["lists"]["photo"][0]["mime"], "image/jpeg");
    assert_eq!(device.json(&["status"])["files"]["here_only"], 1);
    for (amount, part) in [
        ("0", "V-05"),
        ("-3", "V-05"),
        ("35.005", "35.005"),
        ("abc", "abc"),
    ] {
        let ran = device.run(&[
            "voucher",
            "add",
            "--category",
            "meal",
            "--amount",
            amount,
            "--date",
            "2026-11-20",
        ]);
        assert_eq!(ran.exit, 1, "{amount}");
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert_eq!(device.run(&["voucher", "add", "--amount", "3"]).exit, 1);
    assert_eq!(device.json(&["voucher", "list"]).as_array().unwrap().len(), 1);
    device.done(&["voucher", "discard", made["code"].as_str().unwrap()]);
    assert_eq!(
        device
            .json(&["voucher", "list", "--state", "captured"])
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn scanned_invoices_are_kept_once_and_others_are_told() {
    let device = Device::new();
    let text = "01,32,,25152000009858579102,56.00,20250302,,D263\nhello\n\n";
    let ran = device.run_with(&["voucher", "scan", "--json"], text);
    assert_eq!(ran.exit, 1);
    let answers: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&answers[0]["amount"], &answers[0]["checksum"]),
        (&"56.00".into(), &"match".into())
    );
    assert!(answers[1]["error"].as_str().unwrap().contains("hello"));
    let again = device.run_with(&["voucher", "scan"], text.lines().next().unwrap());
    assert_eq!(again.exit, 0);
    assert!(again.out.contains("Already here"), "{}", again.out);
}

#[test]
fn a_scan_never_takes_a_sum_without_tax_for_what_was_paid() {
    let device = Device::new();
    let text = "01,10,011001900311,26105568,356.60,20190602,69609999443421834136,C348";
    let ran = device.run_with(&["voucher", "scan", "--json"], text);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let answers: Value = serde_json::from_str(&ran.out).unwrap();
    let (scanned, code) = (&answers[0], answers[0]["code"].as_str().unwrap());
    assert_eq!(
        (&scanned["amount"], &scanned["qr_amount"]),
        (&Value::Null, &"356.60".into())
    );
    assert_eq!(
        (&scanned["tax"], &scanned["checksum"]),
        (&"excluded".into(), &"match".into())
    );
    let rules = |answer: &Value| -> Vec<String> {
        let notices = answer["notices"].as_array().unwrap().iter();
        notices
            .map(|notice| notice["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rules(scanned), ["V-06", "V-07"]);
    let shown = device.json(&["voucher", "show", code]);
    assert_eq!(
        (&shown["fields"]["category"], &shown["state"]),
        (&Value::Null, &"captured".into())
    );

    let twice = device.run(&[
        "voucher",
        "add",
        "--category",
        "meal",
        "--amount",
        "360",
        "--qr",
        text,
    ]);
    assert!(
        twice.err.contains("[W-29]") && twice.err.contains(code),
        "{}",
        twice.err
    );
    let low = device.json(&["voucher", "set", code, "amount=350", "category=meal"]);
    assert_eq!(rules(&low), ["N5"], "less than the sum without tax");
    assert_eq!(
        rules(&device.json(&["voucher", "set", code, "amount=378"])),
        [""; 0]
    );
    assert!(
        device
            .run(&["voucher", "set", code, "amount=0"])
            .err
            .contains("V-05")
    );
    assert_eq!(
        device.json(&["voucher", "show", code])["fields"]["amount"],
        "378.00"
    );

    device.done(&["voucher", "discard", code]);
    let again = device.json(&[
        "voucher",
        "add",
        "--category",
        "meal",
        "--amount",
        "378",
        "--qr",
        text,
    ]);
    let other = again["code"].as_str().unwrap();
    let ran = device.run_with(&["voucher", "scan"], text);
    assert!(
        ran.out.contains(other),
        "the voucher that counts is found: {}",
        ran.out
    );
}

#[test]
fn an_import_takes_the_good_rows_once_and_names_the_bad_ones() {
    let device = Device::new();
    let file = device.dir.path().join("sheets.csv");
    let rows =
        "product,arrived,charge\nPump,2026-11-20 08:00,12.50\nFan,31/02,3\nFan,2026-11-20 08:00,1.234\n";
    std::fs::write(&file, rows).unwrap();
    let import = ["import", file.to_str().unwrap(), "--kind", "repair"];
    let answer = device.json(&import);
    assert_eq!(
        (&answer["read"], &answer["added"], &answer["already"]),
        (&3.into(), &1.into(), &0.into())
    );
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.iter().map(|bad| &bad["line"]).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(
        (&refused[0]["field"], &refused[1]["value"]),
        (&"arrived".into(), &"1.234".into())
    );
    assert_eq!(device.run(&import).exit, 1);
    assert_eq!(device.json(&import)["already"], 1);
    assert_eq!(device.json(&["search", "ＰＵＭＰ"]).as_array().unwrap().len(), 1);
    assert_eq!(
        device
            .json(&["search", "pump", "--kind", "voucher"])
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let csv = device.done(&["export", "--kind", "repair"]);
    assert!(csv.lines().count() == 2 && csv.contains("12.50"), "{csv}");
    let out = device.dir.path().join("out.xlsx");
    device.done(&[
        "export",
        "--kind",
        "repair",
        "--format",
        "xlsx",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(std::fs::metadata(&out).unwrap().len() > 1000);
}

#[test]
fn without_conflicts_and_refusals_the_lists_are_empty() {
    let device = Device::new();
    device.ready();
    let words = ["conflict", "list"];
    assert_eq!(device.json(&words), serde_json::json!([]));
    assert_eq!(device.json(&["quarantine", "list"]), serde_json::json!([]));
    assert_eq!(device.run(&["conflict", "settle", "ZZ", "--take", "x"]).exit, 2);
    assert_eq!(device.run(&["quarantine", "resubmit", "7.1.1"]).exit, 1);
    assert_eq!(device.json(&["status"])["unsent_ops"], 1);
}

#[test]
fn a_rebuilt_home_shows_what_it_showed() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "seal", &code, "--no-sign", "absent"]);
    let before = device.json(&["sheet", "show", &code]);
    let well = device.run(&["doctor"]);
    assert_eq!(well.exit, 0, "{}{}", well.out, well.err);
    assert_eq!(device.json(&["rebuild"])["documents"], 1);
    assert_eq!(device.json(&["sheet", "show", &code]), before);
    assert_eq!(device.json(&["doctor"])["views_ok"], true);
    let next = device.ready();
    let sealed = device.json(&["sheet", "seal", &next, "--no-sign", "absent"]);
    assert_eq!(
        sealed["number"], "RHZ01-T006-2611-002",
        "a number is never given twice"
    );
}
