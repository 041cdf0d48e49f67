//! Homes that were copied, restored and rewound: every op of every branch ends at headquarters and on the devices.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::company::{Company, LI, WANG, text};
use crate::proxy::{Cut, Way};
use crate::world::Device;

/// A home as it was at some moment.
struct Image(TempDir);

impl Image {
    /// Copies a home as `cp -a` would.
    fn of(device: &Device) -> Self {
        let image = Self(tempfile::tempdir().expect("a temporary folder"));
        copy(device.home(), image.0.path());
        image
    }

    /// Puts a home back to that moment, in its own folder.
    fn put_back(&self, device: &Device) {
        empty(device.home());
        copy(self.0.path(), device.home());
    }

    /// Makes a second home of it, elsewhere.
    fn second_home(&self) -> Device {
        let device = Device::new();
        copy(self.0.path(), device.home());
        device
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&to).expect("a folder");
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a file");
        }
    }
}

fn empty(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let gone = if entry.path().is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
        gone.expect("what was there is gone");
    }
}

fn sheet(device: &Device, problem: &str) -> String {
    device.make(["sheet", "new", "repair", "--set", &format!("problem={problem}")])
}

/// Returns what is wrong with each of the sheets, as somebody lists them.
fn problems(device: &Device) -> Vec<String> {
    let listed = device.ask(["sheet", "list"]);
    let ids = listed.as_array().expect("a list").iter().map(|line| text(&line["id"])).collect::<Vec<_>>();
    let mut all: Vec<String> =
        ids.iter().map(|id| text(&device.ask(["sheet", "show", id])["fields"]["problem"])).collect();
    all.sort();
    all
}

fn at_hq(company: &Company) -> Vec<String> {
    let mut all: Vec<String> = company.export("repair").iter().map(|sheet| text(&sheet["problem"])).collect();
    all.sort();
    all
}

/// Syncs until nothing moves any more.
fn settle(devices: &[&Device]) {
    for device in devices.iter().chain(devices).chain(devices) {
        let report = device.sync();
        assert_eq!(report["level"], true, "{report}");
        assert_eq!(report["new_quarantine"], 0, "{report}");
    }
}

fn has_notice(report: &Value, name: &str) -> bool {
    report["notices"].as_array().expect("a list").iter().any(|notice| notice == name)
}

/// A tablet's home is copied before headquarters heard of it. The first one syncs for days; then the copy comes with what
/// both wrote before, and lacks what the first one wrote since: it gets that too, and both go on.
#[test]
fn a_home_copied_before_its_first_contact_gets_what_the_other_one_wrote() {
    let company = Company::found();
    let li = company.device(LI);
    sheet(&li, "异响");
    let copied = Image::of(&li).second_home();
    for problem in ["漏油", "过热"] {
        sheet(&li, problem);
        li.sync();
    }
    sheet(&copied, "断电");
    settle(&[&copied, &li]);
    let all = ["异响", "断电", "漏油", "过热"].map(str::to_owned);
    for list in [at_hq(&company), problems(&li), problems(&copied)] {
        assert_eq!(std::collections::BTreeSet::from_iter(list), all.clone().into());
    }
}

/// A tablet's home is copied before headquarters heard of it, and each of the two gives the first number of its block.
/// The second one to speak is told at once: the first one may never speak again.
#[test]
fn one_number_given_by_two_homes_before_anybody_heard_of_them_is_told() {
    let company = Company::found();
    let li = company.device(LI);
    let copied = Image::of(&li).second_home();
    let sealed = |device: &Device, problem: &str| {
        let problem = format!("problem={problem}");
        let mut args = vec!["sheet", "new", "repair"];
        for field in ["arrived=2026-11-20 09:00", "left=2026-11-20 10:30", "customer=C001", &problem]
            .into_iter()
            .chain(["work_done=复位", "result=done"])
        {
            args.extend(["--set", field]);
        }
        let id = device.make(args);
        text(&device.ask(["sheet", "seal", &id, "--no-sign", "absent"])["number"])
    };
    sheet(&copied, "过热");
    settle(&[&copied]);
    let first = sealed(&copied, "异响");
    copied.sync();
    assert_eq!(sealed(&li, "漏油"), first, "neither knows of the other");
    let told = [li.sync(), li.sync()];
    assert!(told.iter().any(|report| has_notice(report, "copied")), "{told:?}");
    assert_eq!(li.status()["copied"], true);
}

/// The folder of a home is put back to this morning while the machine runs, and nothing there tells it from going on:
/// the next sheets get names that headquarters has for others. The branch is written again, both are there.
#[test]
fn two_ops_of_one_name_are_a_fork_and_both_are_kept() {
    let company = Company::found();
    let li = company.device(LI);
    let wang = company.device(WANG);
    let pump = sheet(&li, "异响");
    li.sync();
    let morning = Image::of(&li);
    li.ask(["sheet", "set", &pump, "work_done=换轴承"]);
    sheet(&li, "漏油");
    li.sync();
    morning.put_back(&li);
    li.ask(["sheet", "set", &pump, "work_done=换密封"]);
    let fan = sheet(&li, "过热");
    let report = li.sync();
    assert!(has_notice(&report, "fork"), "{report}");
    assert_eq!(report["level"], true, "{report}");
    settle(&[&li, &wang]);
    for all in [at_hq(&company), problems(&li), problems(&wang)] {
        assert_eq!(all, ["异响", "漏油", "过热"]);
    }
    company.is_level_with(&[&li, &wang]);
    // Whoever asks by the name that both had is told of the other.
    let [twice, again] = [&fan, &text(&li.ask(["sheet", "show", &fan])["written_twice"][0])]
        .map(|id| li.ask(["sheet", "show", id]));
    assert_eq!(twice["fields"]["problem"], "漏油", "{twice}");
    assert_eq!(again["fields"]["problem"], "过热", "{again}");
    assert_eq!(again["written_twice"][0], twice["id"], "{again}");
}

/// A tablet's folder is copied to a second one; both write, both sync. Where the log is one chain a name, the second
/// one's work was taken for known and dropped, and both were told that all went well.
#[test]
fn clone_like_zamsync() {
    let company = Company::found();
    let first = company.device(LI);
    let wang = company.device(WANG);
    let pump = sheet(&first, "异响");
    first.sync();
    let second = Image::of(&first).second_home();
    first.ask(["sheet", "set", &pump, "runhours=100"]);
    sheet(&first, "漏油");
    second.ask(["sheet", "set", &pump, "runhours=200"]);
    sheet(&second, "过热");
    assert!(!has_notice(&second.sync(), "copied"), "no branch but this one grew yet");
    assert!(has_notice(&first.sync(), "copied"));
    assert!(has_notice(&second.sync(), "copied"));
    for device in [&first, &second] {
        assert_eq!(device.status()["copied"], true);
        assert!(!has_notice(&device.sync(), "copied"), "told once");
    }
    // Both go on, for days.
    for (device, problem) in [(&second, "振动"), (&first, "停机"), (&second, "跳闸")] {
        sheet(device, problem);
        settle(&[&first, &second]);
    }
    settle(&[&first, &second, &wang]);
    let mut all = ["异响", "漏油", "过热", "振动", "停机", "跳闸"];
    all.sort_unstable();
    for found in [at_hq(&company), problems(&first), problems(&second), problems(&wang)] {
        assert_eq!(found, all);
    }
    // What both wrote on one sheet waits for a person, and he who wrote it may settle it.
    let open = first.ask(["conflict", "list"]);
    let taken = text(&open[0]["values"][1]["op"]);
    first.ask(["conflict", "settle", &pump, "--take", &taken]);
    settle(&[&first, &second, &wang]);
    for device in [&first, &second, &wang] {
        assert_eq!(device.status()["conflicts"], 0);
    }
    company.is_level_with(&[&first, &second, &wang]);
}

/// A tablet is put back to last week's backup, twice. The server took its new work for old and reported success, and
/// what it had sent since the backup was gone from it.
#[test]
fn restore_like_turso_8129() {
    let company = Company::found();
    let li = company.device(LI);
    let wang = company.device(WANG);
    let pump = sheet(&li, "异响");
    li.sync();
    let backup = Image::of(&li);
    li.ask(["sheet", "set", &pump, "runhours=100"]);
    sheet(&li, "漏油");
    li.sync();
    // Once onto a new tablet, whose first word is what it wrote since.
    let mut li = backup.second_home();
    li.ask(["sheet", "set", &pump, "runhours=200"]);
    sheet(&li, "过热");
    let report = li.sync();
    assert!(has_notice(&report, "rewound") && !has_notice(&report, "copied"), "{report}");
    settle(&[&li]);
    assert_eq!(problems(&li), ["异响", "漏油", "过热"]);
    // And once more, to look first and to write later.
    li = backup.second_home();
    let report = li.sync();
    assert!(has_notice(&report, "rewound"), "{report}");
    assert_eq!(problems(&li), ["异响", "漏油", "过热"]);
    sheet(&li, "振动");
    settle(&[&li, &wang]);
    let mut all = ["异响", "漏油", "过热", "振动"];
    all.sort_unstable();
    for found in [at_hq(&company), problems(&li), problems(&wang)] {
        assert_eq!(found, all);
    }
    // His own lost branch and his new one stand against each other, and he settles it himself.
    let open = li.ask(["conflict", "list"]);
    let taken = text(&open[0]["values"][0]["op"]);
    li.ask(["conflict", "settle", &pump, "--take", &taken]);
    settle(&[&li, &wang]);
    assert_eq!(wang.status()["conflicts"], 0);
    assert_eq!(li.status()["copied"], false);
    company.is_level_with(&[&li, &wang]);
}

/// One code is read on two tablets. The second one's key is not the one bound to the name: its work waits for a person,
/// and once he confirms it, it goes in as it is and the tablet gets a name of its own. Both go on working.
#[test]
fn one_code_on_two_devices_makes_two_devices() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let [first, second] = [Device::enrol(&code), Device::enrol(&code)];
    let wang = company.device(WANG);
    sheet(&first, "异响");
    first.sync();
    let pump = sheet(&second, "漏油");
    let report = second.sync();
    assert!(has_notice(&report, "unconfirmed"), "{report}");
    assert_eq!(
        (&second.status()["unsent_ops"], &second.status()["numbers_suspended"]),
        (&1.into(), &true.into())
    );
    let name = first.status()["replica"].to_string();
    let confirmed = company.hq.run(["--json", "device", "confirm", &name]).ended(0).json();
    assert_eq!(confirmed["ops"], 1);
    // More of it, under the first name still, and then its own.
    sheet(&second, "过热");
    let report = second.sync();
    assert_eq!(report["level"], true, "{report}");
    assert_ne!(second.status()["replica"].to_string(), name);
    assert_eq!(second.status()["unsent_ops"], 0);
    sheet(&second, "振动");
    sheet(&first, "停机");
    settle(&[&first, &second, &wang]);
    let mut all = ["异响", "漏油", "过热", "振动", "停机"];
    all.sort_unstable();
    for found in [at_hq(&company), problems(&first), problems(&second), problems(&wang)] {
        assert_eq!(found, all);
    }
    // Ids stay, and nobody is told of copies.
    assert_eq!(second.ask(["sheet", "show", &pump])["fields"]["problem"], "漏油");
    assert_eq!(first.status()["copied"], false);
    assert_eq!(second.status()["numbers_suspended"], false);
    company.is_level_with(&[&first, &second, &wang]);
}

/// The same code on a third tablet, which somebody else scanned: whoever confirms one does not let the other in.
#[test]
fn of_two_keys_that_wait_one_has_to_be_named() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let devices = [Device::enrol(&code), Device::enrol(&code), Device::enrol(&code)];
    for device in &devices {
        sheet(device, "异响");
        device.sync();
    }
    let [first, second, third] = &devices;
    let name = first.status()["replica"].to_string();
    let keys = [second, third].map(|device| device.status()["key"].as_str().expect("a key").to_owned());
    let refused = company.hq.run(["device", "confirm", &name]).ended(1);
    assert!(keys.iter().all(|key| refused.stderr.contains(key)), "{refused:?}");
    company.hq.run(["device", "confirm", &name, "--key", "zz"]).ended(1);
    let confirm = |args: &[&str]| {
        company.hq.run([&["--json", "device", "confirm", &name], args].concat()).ended(0).json()["ops"]
            .clone()
    };
    assert_eq!(confirm(&["--key", &keys[0]]), 1);
    assert!(has_notice(&third.sync(), "unconfirmed"));
    assert_eq!(third.status()["standing"], "unconfirmed");
    assert_eq!(second.sync()["level"], true);
    let listed = company.hq.run(["--json", "device", "list"]).ended(0).json();
    let waiting = |device: &&Value| device["waiting_keys"] == serde_json::json!([keys[1]]);
    assert_eq!(listed.as_array().expect("a list").iter().filter(waiting).count(), 1, "{listed}");
    // One is left: it needs no name.
    assert_eq!(confirm(&[]), 1);
    assert_eq!(third.sync()["level"], true);
    settle(&[first, second, third]);
    assert_eq!(at_hq(&company).len(), 3);
    company.is_level_with(&[first, second, third]);
}

/// A copied home is asked to take a name of its own; its old log is set aside, its records come back.
#[test]
fn the_second_home_of_a_copy_gets_a_name_of_its_own() {
    let company = Company::found();
    let first = company.device(LI);
    let pump = sheet(&first, "异响");
    first.sync();
    let second = Image::of(&first).second_home();
    sheet(&second, "过热");
    sheet(&first, "漏油");
    let code = company.hq.device_code(LI, &company.line.url());
    // Not before headquarters has all of it.
    let refused = second.run(["enrol", "--anew", &code]).ended(1);
    assert!(refused.stderr.contains("W-16"), "{refused:?}");
    settle(&[&second, &first]);
    assert_eq!(first.status()["copied"], true);
    second.run(["enrol", "--anew", &code]).ended(0);
    second.sync();
    assert_ne!(second.status()["replica"], first.status()["replica"]);
    assert_eq!(second.ask(["sheet", "show", &pump])["fields"]["problem"], "异响");
    company.hq.run(["device", "confirm", &first.status()["replica"].to_string()]).ended(0);
    sheet(&second, "振动");
    sheet(&first, "停机");
    settle(&[&second, &first]);
    let mut all = ["异响", "漏油", "过热", "振动", "停机"];
    all.sort_unstable();
    for found in [at_hq(&company), problems(&first), problems(&second)] {
        assert_eq!(found, all);
    }
    for device in [&first, &second] {
        assert_eq!(
            (&device.status()["copied"], &device.status()["numbers_suspended"]),
            (&false.into(), &false.into())
        );
    }
    company.is_level_with(&[&first, &second]);
}

/// A history that ends exactly where a page does: the reader asked for what follows, got nothing, and took the last
/// page for unread or for all there was. Here a device put back gets every page of its own, and a colleague too.
#[test]
fn page_multiple_like_atuin_3913() {
    let company = Company::found();
    let [li, wang] = [company.device(LI), company.device(WANG)];
    settle(&[&li, &wang]);
    let before = Image::of(&li);
    // Segments hold 256 ops, feeds are read by 64 entries.
    for (round, count) in [(0, 256), (1, 512)] {
        let row = |n: usize| format!("{round}-{n}\n");
        let table = format!("product\n{}", (0..count).map(row).collect::<String>());
        let file = li.file("sheets.csv", table.as_bytes());
        li.run(["import", &file, "--kind", "repair"]).ended(0);
        assert_eq!(li.status()["unsent_ops"], count);
        settle(&[&li, &wang]);
    }
    before.put_back(&li);
    let report = li.sync();
    assert_eq!((&report["received_ops"], &report["level"]), (&768.into(), &true.into()), "{report}");
    for device in [&li, &wang] {
        assert_eq!(device.sync()["received_ops"], 0);
        assert_eq!(device.ask(["sheet", "list", "--limit", "1000"]).as_array().map(Vec::len), Some(768));
    }
    company.is_level_with(&[&li, &wang]);
}

/// The sheet arrived and the answer did not: what was sent again came in as a second sheet. Here it is the same one,
/// for a device that lost the answer and for one that was put back to before it.
#[test]
fn lost_ack_dup_like_odk_50() {
    let company = Company::found();
    let [li, wang] = [company.device(LI), company.device(WANG)];
    li.sync();
    sheet(&li, "异响");
    let unsent = Image::of(&li);
    company.line.cut(Cut::Every { way: Way::Down, after: 0 });
    li.run(["sync"]).ended(3);
    company.line.cut(Cut::Never);
    assert_eq!(at_hq(&company), ["异响"]);
    settle(&[&li]);
    // The same again from a home that knows of no answer, and of no question.
    let again = unsent.second_home();
    let report = again.sync();
    assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    settle(&[&again, &wang]);
    for found in [at_hq(&company), problems(&again), problems(&wang)] {
        assert_eq!(found, ["异响"]);
    }
    company.is_level_with(&[&again, &wang]);
}
