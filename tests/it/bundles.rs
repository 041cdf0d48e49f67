//! Where no network is: work that goes to headquarters by file, and the receipt that comes back.

use serde_json::Value;

use crate::company::{Company, LI, WANG, ZHAO, text};
use crate::world::Device;

/// A USB stick: a folder that goes from hand to hand.
struct Stick(tempfile::TempDir);

impl Stick {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path of the tests").to_owned()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("a file on the stick")
    }
}

impl Company {
    #[track_caller]
    fn read(&self, bundle: &str, receipt: &str) -> Value {
        self.hq.run(["--json", "bundle", "read", bundle, "--receipt", receipt]).ended(0).json()
    }
}

#[track_caller]
fn voucher(device: &Device, day: &str) -> String {
    device.make(["voucher", "add", "--category", "city_transport", "--amount", "35.00", "--date", day])
}

#[test]
fn a_device_that_never_sees_a_network_delivers_a_week_and_gets_its_receipt() {
    let company = Company::found();
    let (li, stick) = (company.device(LI), Stick::new());
    let (out, back) = (stick.path("li.fbw"), stick.path("li.fbr"));
    let days: Vec<String> = (16..=20).map(|day| format!("2026-11-{day}")).collect();
    let vouchers: Vec<String> = days.iter().map(|day| voucher(&li, day)).collect();

    let written = li.ask(["bundle", "write", &out]);
    assert_eq!(written["ops"], li.status()["unsent_ops"], "{written}");
    let taken = company.read(&out, &back);
    assert_eq!((&taken["new_ops"], &taken["exceptions"]), (&written["ops"], &0.into()), "{taken}");
    assert_eq!(company.export("voucher").len(), vouchers.len());

    let receipt = li.ask(["bundle", "read", &back]);
    assert_eq!(receipt["sent_ops"], written["ops"], "{receipt}");
    assert_eq!(receipt["verdicts"]["accepted"], written["ops"], "{receipt}");
    assert_eq!(li.status()["unsent_ops"], 0);
    // The master data and the job came the same way.
    let jobs = li.ask(["job", "list"]);
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs}");
    company.is_level_with(&[&li]);
    assert_eq!(company.line.counts().connections, 0, "nothing went over the line");

    // The next week the device answers what it was given.
    let job = text(&jobs[0]["id"]);
    li.ask(["job", "accept", &job]);
    li.ask(["bundle", "write", &out]);
    assert_eq!(company.read(&out, &back)["new_ops"], 1);
    assert_eq!(li.ask(["bundle", "read", &back])["sent_ops"], 1);
    assert_eq!(company.export("job").iter().filter(|job| job["state"] == "accepted").count(), 1);
    company.is_level_with(&[&li]);
}

/// Bundles came out of order and twice, and a later one was taken for news it already had (cht-core #11388).
/// Here any order, any number of times, with syncs between, ends in the same state on both ends.
#[test]
fn out_of_order_bundles_like_cht_11388() {
    let company = Company::found();
    let (li, wang, stick) = (company.device(LI), company.device(WANG), Stick::new());
    let file = |name: &str| (stick.path(&format!("{name}.fbw")), stick.path(&format!("{name}.fbr")));
    let (first, second, third) = (file("1"), file("2"), file("3"));
    voucher(&li, "2026-11-16");
    li.ask(["bundle", "write", &first.0]);
    voucher(&li, "2026-11-17");
    li.ask(["bundle", "write", &second.0]);

    // The second holds all that the first holds.
    assert_eq!(company.read(&second.0, &second.1)["new_ops"], li.status()["unsent_ops"]);
    assert_eq!(company.read(&first.0, &first.1)["new_ops"], 0);
    assert_eq!(company.read(&second.0, &stick.path("2 again.fbr"))["new_ops"], 0);
    assert_eq!(company.export("voucher").len(), 2);

    // Meanwhile the office goes on, and the device syncs over a line before it reads what is older.
    wang.sync();
    voucher(&li, "2026-11-18");
    li.ask(["bundle", "write", &third.0]);
    company.read(&third.0, &third.1);
    assert_eq!(li.sync()["level"], true);
    let before = (li.doctor(), li.ask(["voucher", "list"]));
    for (_, receipt) in [&third, &first, &second, &first, &third] {
        let read = li.ask(["bundle", "read", receipt]);
        assert_eq!((&read["sent_ops"], &read["received_ops"]), (&0.into(), &0.into()), "{read}");
        assert_eq!(read["notices"], serde_json::json!([]), "{read}");
    }
    assert_eq!((li.doctor(), li.ask(["voucher", "list"])), before);
    let again = li.sync();
    assert_eq!((&again["level"], &again["notices"]), (&true.into(), &serde_json::json!([])), "{again}");
    company.is_level_with(&[&li]);
    let listed = company.hq.run(["--json", "device", "list"]).ended(0).json();
    assert!(listed.as_array().expect("a list").iter().all(|device| device["copied"] == false), "{listed}");
}

#[test]
fn a_damaged_or_strange_file_changes_nothing_and_says_so() {
    let company = Company::found();
    let (li, wang, stick) = (company.device(LI), company.device(WANG), Stick::new());
    let (out, back) = (stick.path("li.fbw"), stick.path("li.fbr"));
    voucher(&li, "2026-11-16");
    li.ask(["bundle", "write", &out]);
    let whole = stick.bytes("li.fbw");
    for (at, damaged) in [(whole.len() / 2, true), (whole.len() - 1, true), (9, true), (0, false)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let bytes = if damaged { bytes } else { whole[..whole.len() - 70].to_vec() };
        std::fs::write(stick.path("bad.fbw"), bytes).expect("a file on the stick");
        let refused = company.hq.run(["bundle", "read", &stick.path("bad.fbw"), "--receipt", &back]).ended(1);
        assert!(refused.stderr.contains("hint:"), "{}", refused.stderr);
    }
    assert_eq!(company.export("voucher").len(), 0);
    assert!(!std::path::Path::new(&back).exists(), "no receipt for what was not read");

    company.read(&out, &back);
    let whole = stick.bytes("li.fbr");
    for at in (8..whole.len()).step_by(whole.len() / 7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(stick.path("bad.fbr"), bytes).expect("a file on the stick");
        li.run(["bundle", "read", &stick.path("bad.fbr")]).ended(1);
    }
    assert!(li.status()["unsent_ops"] != 0);
    // His supervisor's device cannot use his receipt.
    wang.run(["bundle", "read", &back]).ended(1);
    li.run(["bundle", "read", &stick.path("nothing here")]).ended(2);
    assert_eq!(li.ask(["bundle", "read", &back])["sent_ops"], 1);
    company.is_level_with(&[&li]);
}

#[test]
fn a_colleague_carries_the_work_and_brings_the_receipt() {
    let company = Company::found();
    let (li, zhao, stick) = (company.device(LI), company.device(ZHAO), Stick::new());
    let out = stick.path("li.fbw");
    voucher(&li, "2026-11-16");
    li.ask(["bundle", "write", &out]);
    li.run(["bundle", "read", &out]).ended(1);

    let kept = zhao.ask(["bundle", "read", &out]);
    assert_eq!((&kept["kind"], &kept["replica"]), (&"work".into(), &li.status()["replica"]), "{kept}");
    assert_eq!(zhao.ask(["bundle", "receipts"])[0]["waiting"], 1);
    let report = zhao.sync();
    assert_eq!((&report["requests"], &report["level"]), (&1.into(), &true.into()), "{report}");
    let receipt = text(&report["receipts"][0]);
    assert_eq!(zhao.ask(["bundle", "receipts"])[0]["file"], receipt.as_str());
    assert_eq!(company.export("voucher").len(), 1);
    let owners: Vec<Value> = zhao.ask(["voucher", "list"]).as_array().cloned().unwrap_or_default();
    assert!(owners.is_empty(), "he carried it and saw nothing of it: {owners:?}");

    assert_eq!(li.ask(["bundle", "read", &receipt])["sent_ops"], 1);
    assert_eq!(li.status()["unsent_ops"], 0);
    // What he was carried is old by now: the next sync over a line brings the rest.
    assert_eq!(li.sync()["level"], true);
    zhao.sync();
    company.is_level_with(&[&li, &zhao]);

    // Carried again by mistake it changes nothing.
    zhao.ask(["bundle", "read", &out]);
    zhao.sync();
    let again = zhao.ask(["bundle", "receipts"]);
    assert_eq!((again.as_array().map(Vec::len), &again[0]["waiting"]), (Some(1), &0.into()), "{again}");
    assert_eq!(company.export("voucher").len(), 1);
}

#[test]
fn a_hand_over_whose_file_could_not_be_written_is_written_again_and_the_step_is_taken_once() {
    let company = Company::found();
    let (li, zhao, stick) = (company.device(LI), company.device(ZHAO), Stick::new());
    for device in [&li, &zhao, &li] {
        device.sync();
    }
    let job = text(&li.ask(["job", "list"])[0]["id"]);
    li.ask(["job", "accept", &job]);
    let own = li.run(["job", "hand-over", &job, "--to", LI]).ended(1);
    assert!(own.stderr.contains("W-21") && !own.stderr.contains(".hint"), "{}", own.stderr);
    li.run(["job", "hand-over", &job, "--to", ZHAO, "--file", &stick.path("gone/job.fbw")]).ended(2);
    let ops = li.status()["unsent_ops"].clone();
    let file = stick.path("job.fbw");
    let again = li.ask(["job", "hand-over", &job, "--to", ZHAO, "--file", &file]);
    assert_eq!((&again["op"], &again["ops"]), (&Value::Null, &ops), "{again}");
    assert_eq!(li.status()["unsent_ops"], ops, "the step stands once");
    li.run(["job", "hand-over", &job, "--to", ZHAO]).ended(1);
    zhao.ask(["bundle", "read", &file]);
    zhao.ask(["job", "take", &job]);
    li.run(["job", "hand-over", &job, "--to", "T201", "--file", &file]).ended(1);
}

/// Li stands at the machine, has to go, and hands the job to Zhao on a stick; no network for either. Zhao goes on at
/// once. Li's tablet is destroyed on the way home. What Zhao brings to headquarters holds all that Li did.
#[test]
fn a_job_is_handed_over_by_file_and_the_first_tablet_is_destroyed() {
    let company = Company::found();
    let (li, zhao, wang) = (company.device(LI), company.device(ZHAO), company.device(WANG));
    let (stick, note) = (Stick::new(), "排气阀已拆下");
    for device in [&li, &zhao, &li] {
        device.sync();
    }
    let job = text(&li.ask(["job", "list"])[0]["id"]);
    li.ask(["job", "accept", &job]);
    let sheet = li.make(["sheet", "new", "repair", "--job", &job, "--set", "problem=排气压力不足"]);
    li.ask(["sheet", "add", &sheet, "note", note]);
    let other = voucher(&li, "2026-11-20");
    let file = stick.path("job.fbw");
    let handed = li.ask(["job", "hand-over", &job, "--to", ZHAO, "--file", &file]);
    assert_eq!(handed["sheets"], serde_json::json!([sheet]), "{handed}");
    assert_eq!(handed["ops"], li.status()["unsent_ops"], "{handed}");
    drop(li);

    wang.sync();
    wang.run(["bundle", "read", &file]).ended(1);
    let read = zhao.ask(["bundle", "read", &file]);
    assert_eq!((&read["kind"], &read["author"]), (&"hand_over".into(), &"李雷".into()), "{read}");
    assert_eq!(zhao.ask(["bundle", "read", &file])["received_ops"], 0);
    assert_eq!(zhao.ask(["job", "show", &job])["state"], "handed_over");
    assert!(zhao.ask(["sheet", "show", &sheet]).to_string().contains(note));
    assert!(
        zhao.ask(["voucher", "list"]).as_array().is_some_and(Vec::is_empty),
        "only the job was handed over"
    );
    zhao.ask(["job", "take", &job]);
    zhao.ask(["sheet", "set", &sheet, "work_done=换阀片", "result=done"]);
    assert_eq!(zhao.doctor()["views_ok"], true);

    let report = zhao.sync();
    assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    assert_eq!(
        report["verdicts"].as_object().map(|all| all.keys().collect::<Vec<_>>()),
        Some(vec![&"accepted".to_owned()])
    );
    assert_eq!(zhao.sync()["digest_equal"], true);
    let vouchers = company.export("voucher");
    assert_eq!(vouchers.len(), 1);
    assert_eq!(text(&vouchers[0]["id"]), other, "what was only on the lost tablet is at headquarters");
    wang.sync();
    let shown = wang.ask(["sheet", "show", &sheet]).to_string();
    assert!(shown.contains(note) && shown.contains("换阀片"), "{shown}");
    assert_eq!(wang.ask(["job", "show", &job])["state"], "accepted");
    company.is_level_with(&[&zhao, &wang]);
}
