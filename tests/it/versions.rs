//! Programs of two versions on one company: what one does not know yet, it keeps, passes on and reads later.

use serde_json::Value;

use crate::company::{Company, LI, WANG, ZHAO, text};
use crate::world::Device;

/// So many sheets that a segment of them stands in columns, which are frozen with a table.
const MANY: usize = 12;

impl Company {
    /// Ends headquarters and serves it by the program of one version later, on the same data.
    fn upgrade(&mut self) {
        self.hq.kill();
        self.hq.tomorrow = true;
        self.hq.serve();
    }
}

#[track_caller]
fn sheet(device: &Device, id: &str) -> Value {
    device.ask(["sheet", "show", id])
}

/// Syncs each until everybody has heard of everything; nothing may be refused.
#[track_caller]
fn level(devices: &[&Device]) {
    for device in devices.iter().chain(devices) {
        let report = device.sync();
        assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    }
}

#[test]
fn unknown_op_like_taskchampion() {
    // TaskChampion 3.1.0 panics on an operation of a newer version that another replica synced.
    // Here it is stored, chained, passed on, shown as "needs a newer version", and read after the upgrade.
    let mut company = Company::found();
    let (mut li, mut wang) = (company.device(LI), company.device(WANG));
    li.tomorrow = true;
    let new = ["sheet", "new", "repair", "--set", "problem=异响", "--set", "loaner=LJ-7"];
    let ids: Vec<String> =
        (0..MANY).map(|_| li.make(new.into_iter().chain(["--set", "fault_text=轴承"]))).collect();
    level(&[&li, &wang]);
    company.doctor();
    wang.doctor();
    for id in &ids {
        let shown = sheet(&wang, id);
        assert_eq!((&shown["newer"], &shown["fields"]["problem"]), (&true.into(), &"异响".into()), "{shown}");
        assert_eq!(shown["fields"]["loaner"], Value::Null, "{shown}");
    }
    let id = &ids[0];
    // Work goes on; only what a newer version wrote behind the known fields is not written over.
    wang.ask(["sheet", "set", id, "work_done=换轴承"]);
    wang.run(["sheet", "set", id, "fault_code=E7"]).ended(1);
    level(&[&wang, &li]);
    let shown = sheet(&li, id);
    assert_eq!(
        (&shown["fields"]["work_done"], &shown["newer"]),
        (&"换轴承".into(), &false.into()),
        "{shown}"
    );

    wang.tomorrow = true;
    let shown = sheet(&wang, id);
    assert_eq!((&shown["fields"]["loaner"], &shown["newer"]), (&"LJ-7".into(), &false.into()), "{shown}");
    assert_eq!(shown, sheet(&li, id));
    company.upgrade();
    wang.ask(["sheet", "set", id, "fault_code=E7"]);
    level(&[&wang, &li]);
    let shown = sheet(&li, id);
    assert_eq!(
        (&shown["fields"]["fault_text"], &shown["fields"]["fault_code"]),
        (&"轴承".into(), &"E7".into())
    );
    company.is_level_with(&[&li, &wang]);
    // The way back is refused in words, and costs nothing.
    wang.tomorrow = false;
    let refused = wang.run(["status"]);
    assert!(refused.code != Some(0) && refused.stderr.contains("newer version"), "{refused:?}");
    wang.tomorrow = true;
    wang.doctor();
}

#[test]
fn a_group_of_a_newer_version_is_merged_by_its_class_where_nobody_can_read_it() {
    let mut company = Company::found();
    let (mut li, mut tablet, mut wang) = (company.device(LI), company.device(LI), company.device(WANG));
    let id = li.make(["sheet", "new", "repair", "--set", "problem=异响"]);
    level(&[&li, &tablet, &wang]);
    (li.tomorrow, tablet.tomorrow) = (true, true);
    li.ask(["sheet", "set", &id, "loaner=LJ-1"]);
    tablet.ask(["sheet", "set", &id, "loaner=LJ-2"]);
    level(&[&li, &tablet, &wang]);
    for device in [&li, &tablet, &wang] {
        assert_eq!(device.status()["conflicts"], 1, "a contested group waits for a person everywhere");
    }
    wang.tomorrow = true;
    let open = wang.ask(["conflict", "show", &id]);
    let taken = text(&open[0]["values"][1]["op"]);
    wang.ask(["conflict", "settle", &id, "--take", &taken]);
    level(&[&wang, &li, &tablet]);
    assert_eq!(li.status()["conflicts"], 0);
    assert_eq!(sheet(&li, &id), sheet(&tablet, &id));
    company.upgrade();
    level(&[&li, &tablet, &wang]);
    company.is_level_with(&[&li, &tablet, &wang]);
}

#[test]
fn rows_of_an_earlier_version_are_read_as_they_were_written() {
    let mut company = Company::found();
    let (mut li, wang) = (company.device(LI), company.device(WANG));
    let id = li.make(["sheet", "new", "repair", "--set", "problem=异响", "--set", "fault_code=E1"]);
    li.ask(["sheet", "add", &id, "replaced_part", "part=轴承", "new_serial=N1"]);
    level(&[&li, &wang]);
    // The table of the group grows; the old row has nothing there, and new ones stand beside it.
    li.tomorrow = true;
    company.upgrade();
    li.ask(["sheet", "add", &id, "replaced_part", "part=密封圈", "new_serial=N2", "warranty_min=90"]);
    level(&[&li, &wang]);
    let shown = sheet(&li, &id);
    let rows = shown["lists"]["replaced_part"].as_array().expect("a list");
    let told: Vec<_> = rows.iter().map(|row| (&row["new_serial"], &row["warranty_min"])).collect();
    assert_eq!(told.len(), 2, "{shown}");
    assert!(told.contains(&(&"N1".into(), &Value::Null)), "{shown}");
    assert!(told.iter().any(|(serial, warranty)| *serial == "N2" && !warranty.is_null()), "{shown}");
    // Who does not know the new field shows the old row and says that there is more.
    let shown = sheet(&wang, &id);
    let rows = shown["lists"]["replaced_part"].as_array().expect("a list");
    assert_eq!(
        (rows.len(), &rows[0]["new_serial"], &shown["newer"]),
        (1, &"N1".into(), &true.into()),
        "{shown}"
    );
    li.ask(["sheet", "set", &id, "fault_text=轴承磨损"]);
    level(&[&li, &wang]);
    assert_eq!(sheet(&wang, &id)["fields"]["fault_code"], "E1");
    company.is_level_with(&[&li]);
}

#[test]
fn a_step_and_a_kind_of_a_newer_version_come_to_count_with_the_upgrade_of_headquarters() {
    let mut company = Company::found();
    let (mut li, mut zhao, mut wang) = (company.device(LI), company.device(ZHAO), company.device(WANG));
    level(&[&li, &zhao, &wang]);
    li.tomorrow = true;
    let loans = li.file("loans.jsonl", "{\"tool\": \"激光对中仪\", \"borrower\": \"T102\"}\n".as_bytes());
    li.ask(["import", &loans, "--kind", "loan"]);
    let tickets = li.file(
        "tickets.jsonl",
        b"{\"no\": 1, \"fare\": \"80.00\", \"paper\": \"ferry\", \"day\": \"2026-11-20\"}\n",
    );
    let map = li.file(
        "tickets.toml",
        b"kind = \"voucher\"\nthen = [\"shelve\"]\n\n[field]\namount = \"fare\"\nkind = \"paper\"\ndate = \"day\"\ncategory = { is = \"phone\" }\n",
    );
    li.ask(["import", &tickets, "--map", &map]);
    // One step of which nobody here can say who may take it; all else is kept as it is.
    assert_eq!(li.sync()["new_quarantine"], 1);
    level(&[&wang, &zhao]);
    let before = (zhao.status()["ops"].clone(), wang.ask(["voucher", "list"])[0].clone());
    assert_eq!(before.1["state"], "captured", "{}", before.1);
    company.doctor();

    company.upgrade();
    company.doctor();
    (zhao.tomorrow, wang.tomorrow) = (true, true);
    level(&[&li, &wang, &zhao]);
    // The step is judged again, and headquarters knows whom the loan concerns.
    assert_eq!(li.status()["quarantined"], 0, "{}", li.status());
    for device in [&li, &wang] {
        let voucher = device.ask(["voucher", "list"])[0].clone();
        assert_eq!(voucher["state"], "placed", "{voucher}");
        assert_eq!(device.ask(["voucher", "show", &text(&voucher["id"])])["fields"]["kind"], "ferry");
    }
    assert_ne!(zhao.status()["ops"], before.0);
    company.is_level_with(&[&li, &wang, &zhao]);
}
