//! Headquarters takes another TLS key, and no device is enrolled anew.

use serde_json::Value;

use crate::company::{LI, SUN, ZHAO};
use crate::world::{Device, Hq};

/// A company of one centre, reached by HTTPS.
fn founded() -> Hq {
    let mut hq = Hq::init_with_tls();
    let tables = [
        (
            "org",
            "code,name,kind,parent\nJL,江澜机电,company,\nHZ,杭州分公司,branch,JL\nHZC,杭州,service_center,HZ\n",
        ),
        (
            "staff",
            "code,name,unit,roles\nT101,李雷,HZC,engineer\nT102,赵敏,HZC,engineer\nT201,孙浩,HZC,engineer\n",
        ),
    ];
    for (kind, table) in tables {
        let file = hq.file(&format!("{kind}.csv"), table);
        hq.run([kind, "import", file.to_str().expect("a path of the tests")]).ended(0);
    }
    hq.serve();
    hq
}

fn device(hq: &Hq, staff: &str) -> Device {
    Device::enrol(&hq.device_code(staff, &hq.url()))
}

fn sync(device: &Device) -> Value {
    device.run(["--json", "sync"]).ended(0).json()
}

fn key(hq: &Hq, args: &[&str]) -> Value {
    hq.run(["--json", "key"].iter().chain(args)).ended(0).json()
}

#[test]
fn devices_that_were_told_know_headquarters_by_its_next_key_and_no_other_does() {
    let mut hq = founded();
    let (li, zhao, sun) = (device(&hq, LI), device(&hq, ZHAO), device(&hq, SUN));
    for device in [&li, &zhao, &sun] {
        sync(device);
    }
    let before = key(&hq, &["list"]);
    assert_eq!((&before["next"], &before["version"]), (&Value::Null, &0.into()), "{before}");

    let prepared = key(&hq, &["rotate-tls"]);
    assert_eq!(prepared["in_use"], before["in_use"]);
    assert_eq!(prepared["unknown"].as_array().map(Vec::len), Some(3), "{prepared}");
    assert_eq!(hq.run(["key", "rotate-tls"]).code, Some(1), "one next key at a time");
    for device in [&li, &zhao] {
        sync(device);
    }
    let listed = hq.run(["--json", "device", "list"]).ended(0).json();
    let knows: Vec<&Value> =
        listed.as_array().expect("a list").iter().map(|one| &one["knows_next_key"]).collect();
    assert_eq!(knows.iter().filter(|knows| **knows == &Value::Bool(true)).count(), 2, "{knows:?}");
    assert_eq!(hq.run(["key", "switch-tls"]).code, Some(1), "one device does not know it");
    // A start in between uses the old key: one device would be shut out.
    hq.kill();
    hq.serve();
    assert_eq!(key(&hq, &["list"])["in_use"], before["in_use"]);
    sync(&sun);

    // Every device knows: the next start uses the next key.
    hq.kill();
    hq.serve();
    let after = key(&hq, &["list"]);
    assert_eq!((&after["in_use"], &after["next"]), (&prepared["next"], &Value::Null), "{after}");
    for device in [&li, &zhao] {
        sync(device);
    }
    let known = key(&hq, &["list"]);
    assert_eq!(known["known"].as_array().map(Vec::len), Some(2), "{known}");
    // A code that is made now carries the key in use; a name that is taken anew keeps what is known.
    let anew = hq.device_code(LI, &hq.url());
    li.run(["enrol", "--anew", &anew]).ended(0);
    sync(&li);
}

#[test]
fn a_device_that_was_not_told_takes_the_next_key_for_somebody_elses() {
    let mut hq = founded();
    let (li, zhao) = (device(&hq, LI), device(&hq, ZHAO));
    sync(&li);
    sync(&zhao);
    key(&hq, &["rotate-tls"]);
    sync(&li);
    key(&hq, &["switch-tls", "--anyway"]);
    hq.kill();
    hq.serve();
    sync(&li);
    zhao.run(["sync"]).ended(3);
    // What he has is not lost by it: with a new code he goes on.
    let sheet = zhao.run(["--json", "sheet", "new", "repair"]).ended(0).json();
    assert!(sheet["id"].is_string(), "{sheet}");
}

#[test]
fn a_backup_holds_the_next_key_too() {
    let mut hq = founded();
    let li = device(&hq, LI);
    sync(&li);
    let prepared = key(&hq, &["rotate-tls"]);
    sync(&li);
    let backup = hq.folder().with_file_name("backup.fbb");
    let backup = backup.to_str().expect("a path of the tests");
    hq.run(["backup", backup]).ended(0);
    hq.kill();
    hq.lose();
    hq.run(["restore", backup]).ended(0);
    hq.serve();
    assert_eq!(key(&hq, &["list"])["in_use"], prepared["next"]);
    sync(&li);
}
