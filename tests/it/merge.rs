//! Two people change the same sheet offline: one result for all, nothing lost, what clashes is settled by a person.

use serde_json::Value;

use crate::clocks::{YEAR_MS, off_by};
use crate::company::{Company, LI, WANG, text};
use crate::world::Device;

/// Two years behind.
const SLOW: &str = "2024-11-23T09:00:00+08:00";

/// Three devices that hold the same: Li's, his second one, whose clock is wrong, and his supervisor's.
struct Trio {
    company: Company,
    devices: [Device; 3],
}

impl Trio {
    fn meet() -> Self {
        let company = Company::found();
        let mut devices = [company.device(LI), company.device(LI), company.device(WANG)];
        devices[1].now = Some(SLOW.to_owned());
        let trio = Self { company, devices };
        trio.level([0, 1, 2]);
        trio
    }

    /// Syncs in that order until everybody has heard of everything.
    fn level(&self, order: [usize; 3]) {
        for at in order.into_iter().chain(order) {
            let report = self.devices[at].sync();
            assert_eq!(report["level"], true, "{report}");
            assert_eq!(report["new_quarantine"], 0, "{report}");
        }
    }

    fn sheet(&self) -> String {
        let id = self.devices[0].make(["sheet", "new", "repair", "--set", "problem=异响"]);
        self.level([0, 1, 2]);
        id
    }

    /// Returns the sheet as everybody shows it, and asserts that they all show the same.
    #[track_caller]
    fn shown(&self, id: &str) -> Value {
        let [a, b, c] = self.devices.each_ref().map(|device| device.ask(["sheet", "show", id]));
        assert_eq!(a, b);
        assert_eq!(b, c);
        a
    }

    /// Returns the open conflicts of the sheet as everybody lists them.
    #[track_caller]
    fn conflicts(&self, id: &str) -> Vec<Value> {
        let listed = self.devices.each_ref().map(|device| device.ask(["conflict", "show", id]));
        assert_eq!(listed[0], listed[1]);
        assert_eq!(listed[1], listed[2]);
        let hard = |conflict: &&Value| conflict["soft"] == false;
        let all = listed[0].as_array().expect("a list").iter();
        all.filter(hard).cloned().collect()
    }

    #[track_caller]
    fn is_level(&self) {
        self.company.is_level_with(&self.devices.each_ref());
    }
}

/// Returns the entries of a list of a shown sheet, by one of their fields.
fn entries(shown: &Value, list: &str, field: &str) -> Vec<String> {
    let rows = shown["lists"][list].as_array().unwrap_or_else(|| panic!("no {list} in {shown}"));
    let mut all: Vec<String> = rows.iter().map(|row| text(&row[field])).collect();
    all.sort();
    all
}

/// Returns what became of the change to that value, by the history.
fn standing(history: &Value, field: &str, to: &str) -> String {
    let changes = history.as_array().expect("a list");
    let change = changes.iter().find(|change| change["field"] == field && change["to"] == to);
    text(&change.unwrap_or_else(|| panic!("{field} {to} is not in {history}"))["standing"])
}

#[test]
fn an_edit_of_each_class_merges_to_the_same_in_every_order_with_a_clock_two_years_wrong() {
    let trio = Trio::meet();
    let [li, slow, wang] = &trio.devices;
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let id = trio.sheet();
        // Once, Last, Contested, Set and Ledger, on three devices that do not hear of each other.
        for (device, name) in [(li, "li"), (slow, "slow"), (wang, "wang")] {
            let hours = format!("runhours={}", 100 + name.len());
            let [source, work] = [format!("source={name}"), format!("work_done={name}")];
            device.ask(["sheet", "set", &id, &source, &work, &hours]);
            device.ask(["sheet", "add", &id, "tag", name]);
            device.ask(["sheet", "add", &id, "tag", "urgent"]);
            device.ask(["sheet", "add", &id, "note", name]);
            device.ask(["sheet", "add", &id, "part", name, "1"]);
        }
        trio.level(order);
        let shown = trio.shown(&id);
        // The last by time, whoever's op came last to headquarters.
        assert_eq!(shown["fields"]["work_done"], "wang", "{order:?}: {shown}");
        // The first by time.
        assert_eq!(shown["fields"]["source"], "slow", "{order:?}: {shown}");
        assert_eq!(entries(&shown, "note", "text"), ["li", "slow", "wang"]);
        assert_eq!(shown["lists"]["part"].as_array().map(Vec::len), Some(3));
        let tags = entries(&shown, "tag", "tag");
        assert_eq!(tags, ["li", "slow", "urgent", "wang"], "{order:?}");

        let conflicts = trio.conflicts(&id);
        let [conflict] = conflicts.as_slice() else { panic!("{order:?}: {conflicts:?}") };
        assert_eq!(conflict["group"], "run_hours");
        assert_eq!(conflict["values"].as_array().map(Vec::len), Some(3), "{conflict}");
        trio.is_level();

        // An open conflict forbids the seal; a person settles it; the losers stay in the history.
        let refused = li.run(["sheet", "seal", &id, "--no-sign", "absent"]).ended(1);
        assert!(refused.stderr.contains("S-10"), "{}", refused.stderr);
        let taken = text(&conflict["values"][1]["op"]);
        wang.ask(["conflict", "settle", &id, "--take", &taken]);
        trio.level(order);
        assert_eq!(trio.conflicts(&id), Vec::<Value>::new());
        assert_eq!(trio.shown(&id)["fields"]["runhours"], conflict["values"][1]["fields"]["runhours"]);
        let history = li.ask(["sheet", "history", &id]);
        assert_eq!(history, slow.ask(["sheet", "history", &id]));
        assert_eq!(standing(&history, "work_done", "wang"), "current");
        assert_eq!(standing(&history, "work_done", "li"), "lost");
        assert_eq!(standing(&history, "work_done", "slow"), "lost");
        trio.is_level();
    }
}

#[test]
fn a_conflict_may_be_settled_by_its_place_in_the_list_only_while_the_list_is_the_same() {
    let trio = Trio::meet();
    let [li, slow, wang] = &trio.devices;
    let id = trio.sheet();
    li.ask(["sheet", "set", &id, "runhours=100"]);
    wang.ask(["sheet", "set", &id, "runhours=200"]);
    trio.level([0, 1, 2]);
    let old = text(&trio.conflicts(&id)[0]["hash"]);
    // Somebody settles it first; he who still looks at the old list is not let.
    let first = text(&trio.conflicts(&id)[0]["values"][0]["op"]);
    slow.ask(["conflict", "settle", &id, "--take", &first]);
    trio.level([1, 0, 2]);
    let ops = wang.status()["ops"].clone();
    wang.run(["conflict", "settle", &id, "--take", "2", "--of", &old]).ended(1);
    assert_eq!(wang.status()["ops"], ops);
    assert_eq!(trio.conflicts(&id), Vec::<Value>::new());
    trio.is_level();
}

#[test]
fn of_a_seal_and_a_void_made_apart_the_seal_stands_and_two_seals_wait_for_a_person() {
    let trio = Trio::meet();
    let [li, slow, _] = &trio.devices;
    let seal = |device: &Device, id: &str| {
        device.ask(["sheet", "set", id, "arrived=2024-11-20 09:00", "left=2024-11-20 10:00", "result=done"]);
        device.ask(["sheet", "seal", id, "--no-sign", "absent"]);
    };
    for order in [[0, 1, 2], [1, 0, 2]] {
        let id = trio.sheet();
        seal(li, &id);
        slow.ask(["sheet", "void", &id, "--reason", "写错"]);
        trio.level(order);
        let shown = trio.shown(&id);
        assert_eq!(shown["state"], "sealed", "{order:?}: {shown}");
        assert_eq!(shown["decisions"].as_array().map(Vec::len), Some(2), "{shown}");
        trio.is_level();

        let id = trio.sheet();
        seal(li, &id);
        seal(slow, &id);
        trio.level(order);
        let conflicts = trio.conflicts(&id);
        let seals = conflicts.iter().find(|conflict| conflict["group"] == "decision");
        let seals = seals.unwrap_or_else(|| panic!("{order:?}: {conflicts:?}"));
        let taken = text(&seals["values"][0]["op"]);
        li.ask(["conflict", "settle", &id, "--take", &taken]);
        trio.level(order);
        let left = trio.conflicts(&id);
        assert!(left.iter().all(|conflict| conflict["group"] != "decision"), "{left:?}");
        assert_eq!(trio.shown(&id)["state"], "sealed");
        trio.is_level();
    }
}

#[test]
fn a_clock_two_years_fast_is_capped_and_drags_nobody_along() {
    let mut trio = Trio::meet();
    let fast = off_by(2 * YEAR_MS);
    let two_years_on = fast[..4].to_owned();
    trio.devices[1].now = Some(fast);
    let id = trio.sheet();
    trio.devices[1].ask(["sheet", "set", &id, "work_done=明年"]);
    trio.level([1, 0, 2]);
    // Who has seen it replaces it, however far in the future it was written.
    trio.devices[0].ask(["sheet", "set", &id, "work_done=换轴承"]);
    trio.level([0, 1, 2]);
    let shown = trio.shown(&id);
    assert_eq!(shown["fields"]["work_done"], "换轴承");
    let year = |device: &Device| text(&device.ask(["sheet", "show", &id])["created"])[..4].to_owned();
    assert_ne!(year(&trio.devices[0]), two_years_on);
    let later = trio.devices[0].make(["sheet", "new", "inspection"]);
    let created = text(&trio.devices[0].ask(["sheet", "show", &later])["created"]);
    assert!(!created.starts_with(&two_years_on), "{created}");
    trio.level([0, 1, 2]);
    trio.is_level();
}
