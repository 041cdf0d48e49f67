//! HQ is lost and comes back from yesterday's backup: what devices hold goes to it again, and nobody is asked.

use serde_json::Value;

use crate::company::{Company, LI, SUN, WANG, ZHAO};
use crate::world::Device;

fn sheet(device: &Device, problem: &str) -> String {
    device.make(["sheet", "new", "repair", "--set", &format!("problem={problem}")])
}

impl Company {
    /// Backs HQ up while it serves, and returns the file.
    #[track_caller]
    fn back_up(&self, name: &str) -> String {
        let file = self.hq.file(name, "");
        let file = file.to_str().expect("a path of the tests").to_owned();
        self.hq.run(["backup", &file]).ended(0);
        file
    }

    /// Loses HQ with all its data, and serves one made again from a backup.
    #[track_caller]
    fn lose_and_restore(&mut self, backup: &str) {
        self.hq.kill();
        self.hq.lose();
        self.hq.run(["restore", backup]).ended(0);
        self.hq.serve();
    }
}

#[test]
fn what_came_after_the_backup_is_sent_again_and_nobody_is_asked() {
    let mut company = Company::found();
    let li = company.device(LI);
    let before = sheet(&li, "before");
    li.sync();
    let backup = company.back_up("backup");
    let after = sheet(&li, "after");
    li.ask(["sheet", "add", &before, "note", "after"]);
    assert_eq!(li.sync()["level"], true);
    company.lose_and_restore(&backup);
    assert_eq!(company.export("repair").len(), 1);

    let report = li.sync();
    assert_eq!(report["level"], true, "{report}");
    assert_eq!(report["notices"][0], "restored");
    company.is_level_with(&[&li]);
    let held: Vec<_> = company.export("repair").iter().map(|sheet| sheet["id"].clone()).collect();
    assert!(held.contains(&before.into()) && held.contains(&after.into()), "{held:?}");
    // Once: the next sync has nothing to say.
    let quiet = li.sync();
    assert_eq!((&quiet["requests"], &quiet["digest_equal"]), (&1.into(), &true.into()), "{quiet}");
}

/// Who was hired after the backup is nobody to a restored HQ until it has read its own log, which his device brings: it
/// took that in only after it had looked for him, and refused him once.
#[test]
fn who_was_hired_after_the_backup_is_heard_at_his_first_sync() {
    let mut company = Company::found();
    let backup = company.back_up("backup");
    let hired = company.hq.file("hired.csv", "code,name,unit,roles\nT109,新人,HZC,engineer\n");
    company.hq.run(["staff", "import", hired.to_str().expect("a path of the tests")]).ended(0);
    let new = company.device("T109");
    new.sync();
    let made = sheet(&new, "first day");
    new.sync();
    company.lose_and_restore(&backup);
    let report = new.sync();
    assert_eq!(report["level"], true, "{report}");
    company.is_level_with(&[&new]);
    assert_eq!(company.export("repair")[0]["id"], *made);
}

/// What HQ shows of everything: its records, and the digest over all of them.
fn shown(company: &Company) -> (Value, Vec<Value>) {
    let kinds = ["repair", "job", "staff", "device", "asset"];
    let records = kinds.iter().flat_map(|kind| company.export(kind)).collect();
    (company.doctor()["digest"].clone(), records)
}

/// cht-core #8093: a server put back to last night's backup told its clients that all was synced, and what they had
/// sent since was nowhere. Here another history begins: devices see it and send again all that they hold, the server's
/// own ops and those of a device that is lost included.
#[test]
fn server_restore_like_cht_8093() {
    let mut company = Company::found();
    let (li, zhao, wang) = (company.device(LI), company.device(ZHAO), company.device(WANG));
    let old = sheet(&li, "old");
    for device in [&li, &zhao, &wang] {
        device.sync();
    }
    let backup = company.back_up("backup");

    // The day after the backup: the office plans, names a device; everybody works; what Li wrote Zhao reads, who
    // works on, and whose device is then lost.
    let sun = company.device(SUN);
    let jobs = company.hq.file(
        "more.csv",
        "type,customer,site,asset,assignee,planned_from,planned_to,instructions\n\
         repair,C001,S001,JL-AC-1,T101,2026-11-24 08:30,2026-11-24 10:00,换滤芯\n",
    );
    company.hq.run(["job", "import", jobs.to_str().expect("a path of the tests")]).ended(0);
    sheet(&sun, "sun");
    sheet(&li, "li");
    let lost = sheet(&zhao, "zhao");
    zhao.ask(["sheet", "add", &lost, "note", "only here and at headquarters"]);
    for device in [&sun, &li, &zhao] {
        device.sync();
    }
    wang.sync();
    wang.ask(["sheet", "add", &lost, "note", "seen"]);
    wang.ask(["sheet", "set", &old, "problem=older"]);
    li.ask(["sheet", "set", &old, "problem=oldest"]);
    for device in [&wang, &li, &wang, &sun] {
        device.sync();
    }
    company.is_level_with(&[&li, &wang, &sun]);
    let before = shown(&company);
    drop(zhao);

    company.lose_and_restore(&backup);
    assert_ne!(shown(&company), before);
    for device in [&sun, &li, &wang, &li, &sun] {
        let report = device.sync();
        assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
        assert_eq!(report["verdicts"], serde_json::json!({}), "nothing is judged again: {report}");
    }
    assert_eq!(shown(&company), before);
    company.is_level_with(&[&li, &wang, &sun]);
}

#[test]
fn headquarters_restored_twice_still_gets_what_only_a_colleague_holds() {
    let mut company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    li.sync();
    wang.sync();
    let first = company.back_up("first");
    let lost = sheet(&li, "only Wang holds this");
    let jobs = company.hq.file("more.csv", "no,type,assignee\nJ9,repair,S101\n");
    company.hq.run(["job", "import", jobs.to_str().expect("a path of the tests")]).ended(0);
    li.sync();
    wang.sync();
    let before = shown(&company);
    drop(li);

    company.lose_and_restore(&first);
    // Taken before anything was given back: the second restore begins where the first did.
    let second = company.back_up("second");
    assert_eq!(wang.sync()["level"], true);
    assert_eq!(shown(&company), before);
    company.lose_and_restore(&second);
    assert_ne!(shown(&company), before);
    assert_eq!(wang.sync()["level"], true);
    assert_eq!(shown(&company), before);
    company.is_level_with(&[&wang]);
    assert!(company.export("repair").iter().any(|sheet| sheet["id"] == lost.as_str()));
}

#[test]
fn what_a_backup_holds_is_offered_no_more_and_a_thin_budget_brings_the_rest_in_many_syncs() {
    let mut company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    let work = |problems: [&str; 4]| {
        for problem in problems {
            sheet(&li, problem);
            li.sync();
            wang.sync();
        }
    };
    work(["one", "two", "three", "four"]);
    let before = shown(&company);
    let file = company.back_up("backup");
    for device in [&li, &wang] {
        assert_eq!(device.sync()["notices"], serde_json::json!(["backed_up"]));
        assert_eq!(device.sync()["notices"], serde_json::json!([]), "said once");
    }
    work(["five", "six", "seven", "eight"]);
    let after = shown(&company);
    assert_ne!(before, after);
    drop(li);
    company.lose_and_restore(&file);
    assert_eq!(shown(&company), before);
    let mut syncs = 0;
    while wang.ask(["sync", "--max-bytes", "400"])["level"] != true {
        syncs += 1;
        assert!(syncs < 200, "no end");
    }
    assert!(syncs > 2, "{syncs}");
    assert_eq!(shown(&company), after);
}
