//! Programs of two versions on one company: what one does not know yet, it keeps, passes on and reads later.

use crate::company::{Company, LI, WANG};
use crate::world::Device;

/// Returns a sheet as a device shows it.
#[track_caller]
fn sheet(device: &Device, id: &str) -> serde_json::Value {
    device.ask(["sheet", "show", id])
}

#[test]
fn unknown_op_like_taskchampion() {
    // TaskChampion 3.1.0 panics on an operation of a newer version that another replica synced.
    // Here it is stored, chained, passed on, shown as "needs a newer version", and read after the upgrade.
    let company = Company::found();
    let (mut li, mut wang) = (company.device(LI), company.device(WANG));
    li.tomorrow = true;
    let id = li.make(["sheet", "new", "repair", "--set", "problem=异响", "--set", "loaner=LJ-7"]);
    assert_eq!(li.sync()["level"], true);
    assert_eq!(wang.sync()["level"], true);
    let shown = sheet(&wang, &id);
    assert_eq!((&shown["newer"], &shown["fields"]["problem"]), (&true.into(), &"异响".into()), "{shown}");
    wang.doctor();
    company.doctor();
    wang.ask(["sheet", "set", &id, "work_done=换轴承"]);
    assert_eq!(wang.sync()["level"], true);
    assert_eq!(li.sync()["level"], true);
    assert_eq!(sheet(&li, &id)["fields"]["work_done"], "换轴承");
    wang.tomorrow = true;
    let shown = sheet(&wang, &id);
    assert_eq!((&shown["newer"], &shown["fields"]["loaner"]), (&false.into(), &"LJ-7".into()), "{shown}");
    wang.doctor();
}
