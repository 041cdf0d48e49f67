//! Who sees what as jobs and people move, and that nothing on its way is lost by it.

use serde_json::Value;

use crate::company::{Company, LI, SUN, WANG, ZHAO, text};
use crate::proxy::{Cut, Way};
use crate::world::Device;

/// The office gives Li's job to somebody; the row's key is its hash, so the number makes it the same job.
fn give(company: &Company, to: &str) {
    let table = format!("no,type,customer,assignee,instructions\nJ-7,repair,C001,{to},排气压力不足\n");
    let file = company.hq.file("give.csv", &table);
    company.hq.run(["job", "import", file.to_str().expect("a path of the tests")]).ended(0);
}

fn roles(company: &Company, staff: &str, unit: &str, roles: &str) {
    let file = company.hq.file("roles.csv", &format!("code,unit,roles\n{staff},{unit},{roles}\n"));
    company.hq.run(["staff", "import", file.to_str().expect("a path of the tests")]).ended(0);
}

#[track_caller]
fn level(devices: &[&Device]) -> Vec<Value> {
    let reports: Vec<Value> = devices.iter().map(|device| device.sync()).collect();
    assert!(reports.iter().all(|report| report["level"] == true), "{reports:?}");
    reports
}

fn sees(device: &Device, id: &str) -> bool {
    device.run(["job", "show", id]).code == Some(0)
}

#[test]
fn a_job_that_changes_hands_goes_whole_to_the_other_and_leaves_the_first_once_his_work_is_sent() {
    let company = Company::found();
    let (li, zhao, sun, wang) =
        (company.device(LI), company.device(ZHAO), company.device(SUN), company.device(WANG));
    give(&company, LI);
    level(&[&li, &zhao, &sun, &wang]);
    let job = text(&li.ask(["job", "show", "J-7"])["id"]);
    li.ask(["job", "accept", &job]);
    level(&[&li]);
    // Li goes on without a network while the office gives the job to Zhao.
    li.ask(["job", "arrive", &job]);
    give(&company, ZHAO);
    let report = level(&[&zhao]).remove(0);
    assert_eq!(zhao.ask(["job", "show", &job])["state"], "accepted", "the whole history: {report}");
    let report = li.sync();
    assert_eq!((&report["new_quarantine"], &report["evicted"]), (&0.into(), &1.into()), "{report}");
    assert!(!sees(&li, &job) && !sees(&sun, &job));
    level(&[&zhao, &wang]);
    for device in [&zhao, &wang] {
        assert_eq!(device.ask(["job", "show", &job])["state"], "on_site", "his work counts");
    }
    company.is_level_with(&[&li, &zhao, &wang]);

    // And back again: his own steps are found in his own log.
    give(&company, LI);
    level(&[&li, &zhao, &sun, &wang]);
    assert_eq!(li.ask(["job", "history", &job]), wang.ask(["job", "history", &job]));
    assert!(!sees(&zhao, &job));
    company.is_level_with(&[&li, &zhao, &sun, &wang]);
}

#[test]
fn a_promotion_brings_the_branch_a_demotion_takes_it_and_a_move_changes_one_for_the_other() {
    let company = Company::found();
    let (li, zhao, sun) = (company.device(LI), company.device(ZHAO), company.device(SUN));
    let east: Vec<String> = (0..3).map(|_| li.make(["sheet", "new", "repair"])).collect();
    let west = sun.make(["sheet", "new", "repair"]);
    let own = zhao.make(["sheet", "new", "repair"]);
    level(&[&li, &sun, &zhao]);
    let seen = |device: &Device| -> usize {
        east.iter()
            .chain([&west, &own])
            .filter(|id| device.run(["sheet", "show", id]).code == Some(0))
            .count()
    };
    assert_eq!(seen(&zhao), 1);
    for (unit, held, count) in [
        ("HZC", "supervisor;engineer", 4),
        ("HZC", "engineer", 1),
        ("HZC", "supervisor", 4),
        ("NJC", "supervisor", 2),
        ("HZC", "supervisor", 4),
        ("NJC", "engineer", 1),
    ] {
        roles(&company, ZHAO, unit, held);
        level(&[&zhao]);
        assert_eq!(seen(&zhao), count, "{unit} {held}");
        company.is_level_with(&[&zhao]);
        assert_eq!(zhao.sync()["digest_equal"], true, "{unit} {held}");
    }
    // What is made after a move belongs where its author works now.
    let moved = zhao.make(["sheet", "new", "repair"]);
    level(&[&zhao]);
    let wang = company.device(WANG);
    level(&[&wang]);
    assert_eq!(wang.run(["sheet", "show", &moved]).code, Some(1));
    assert_eq!(wang.ask(["sheet", "show", &own])["state"], "draft");
}

#[test]
fn a_revoked_device_hands_its_last_work_to_a_person_once_and_gets_nothing_back() {
    let company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    level(&[&li, &wang]);
    let named = li.status()["replica"].clone();
    let replica = named.to_string();
    let held = |what: &str| {
        let devices = company.hq.run(["--json", "device", "list"]).ended(0).json();
        let devices = devices.as_array().expect("a list").clone();
        let device = devices.into_iter().find(|device| device["replica"] == named);
        device.unwrap_or_else(|| panic!("no {replica}"))[what].clone()
    };
    let sheet = li.make(["sheet", "new", "repair", "--set", "problem=最后一单"]);
    company.hq.run(["device", "lost", &replica]).ended(0);
    wang.make(["sheet", "new", "repair"]);
    level(&[&wang]);

    let report = li.sync();
    assert_eq!(report["notices"], Value::from(vec!["revoked"]), "{report}");
    assert_eq!((&report["received_ops"], &report["level"]), (&0.into(), &false.into()), "{report}");
    assert_eq!(held("waiting_segments"), 1);
    let status = li.status();
    assert_eq!((&status["standing"], &status["unsent_ops"]), (&"revoked".into(), &1.into()), "{status}");
    // Said again, sent once; what is written after goes there too.
    let again = li.sync();
    assert!(again["bytes_up"].as_u64() < report["bytes_up"].as_u64(), "{again}");
    assert_eq!(held("waiting_segments"), 1);
    li.ask(["sheet", "add", &sheet, "note", "门卫登记"]);
    li.sync();
    assert_eq!(held("waiting_segments"), 2);
    assert_eq!(wang.run(["sheet", "show", &sheet]).code, Some(1));
    // A person takes it in; the device stays out.
    company.hq.run(["device", "confirm", &replica]).ended(0);
    assert_eq!(held("waiting_segments"), 0);
    level(&[&wang]);
    assert_eq!(wang.ask(["sheet", "show", &sheet])["fields"]["problem"], "最后一单");
    let told = li.sync();
    assert_eq!(told["received_ops"], 0, "{told}");
    company.is_level_with(&[&wang]);
}

/// In PowerSync one write that the backend refuses stops the upload queue: everything behind it waits for ever.
/// Here a refused op is told and kept, the ones behind it go through, and a corrected one can be sent.
#[test]
fn stuck_op_like_powersync() {
    let company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    let sheet = li.make(["sheet", "new", "repair", "--set", "problem=异响"]);
    li.ask(["sheet", "set", &sheet, "arrived=2026-11-20 09:00", "left=2026-11-20 10:00", "result=done"]);
    li.ask(["sheet", "seal", &sheet, "--no-sign", "absent"]);
    level(&[&li, &wang]);
    // He decides while the office takes the role from him, and works on.
    wang.ask(["sheet", "accept", &sheet]);
    let behind: Vec<String> = (0..3).map(|_| wang.make(["sheet", "new", "inspection"])).collect();
    roles(&company, WANG, "HZC", "engineer");
    let report = level(&[&wang]).remove(0);
    assert_eq!((&report["new_quarantine"], &report["sent_ops"]), (&1.into(), &4.into()), "{report}");
    let refused = wang.ask(["quarantine", "list"]);
    assert_eq!(refused.as_array().map(Vec::len), Some(1), "{refused}");
    assert_eq!(company.export("inspection").len(), behind.len());
    level(&[&li]);
    assert_eq!(li.ask(["sheet", "show", &sheet])["state"], "sealed");
    // Given the role again, the same word counts.
    roles(&company, WANG, "HZC", "supervisor;engineer");
    level(&[&wang]);
    wang.ask(["quarantine", "resubmit", &text(&refused[0]["op"])]);
    level(&[&wang, &li]);
    assert_eq!(li.ask(["sheet", "show", &sheet])["state"], "accepted");
    company.is_level_with(&[&li, &wang]);
}

/// Super Productivity stored how far it had read before what it had read: a crash between the two, and those
/// changes were never asked for again. Here both are one step: killed at any moment of a pull, nothing is missing.
#[test]
fn cursor_like_superprod_8304() {
    let company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    level(&[&li, &wang]);
    let mut sheets = 0;
    for (round, after) in [0, 1_000, 2_500, 4_000, 5_500].into_iter().enumerate() {
        let rows: String = (0..120).map(|n| format!("泵-{round}-{n},异响 {round}.{n}\n")).collect();
        let file = li.file(&format!("{round}.csv"), format!("product,problem\n{rows}").as_bytes());
        li.ask(["import", &file, "--kind", "repair"]);
        sheets += 120;
        level(&[&li]);
        // What comes down rides on a push that HQ takes. First its answer is cut, then it comes and the program dies.
        wang.make(["sheet", "new", "inspection"]);
        company.line.cut(Cut::Every { way: Way::Down, after });
        drop(wang.run(["sync"]));
        company.line.cut(Cut::Never);
        let before = company.line.counts().bytes_down;
        let mut syncing = wang.start(["sync"]);
        while company.line.counts().bytes_down <= before + after
            && syncing.try_wait().expect("our own child").is_none()
        {
            std::thread::yield_now();
        }
        drop(syncing.kill());
        syncing.wait().expect("the agent has ended");
    }
    level(&[&wang]);
    let held =
        wang.ask(["export", "--kind", "repair", "--format", "jsonl", "--out", &wang.file("out.jsonl", b"")]);
    assert_eq!(held["records"], sheets, "{held}");
    level(&[&li, &wang]);
    company.is_level_with(&[&li, &wang]);
}
