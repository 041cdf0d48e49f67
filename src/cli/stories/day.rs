//! What `fieldbook` says without a command.

use records::id::{DocId, OpId, Replica};
use records::kinds::job::{Assignee, JOB, JobNo, JobPlace, Planned};
use records::schema::{Group, Typed};
use records::time::{Ts, Zone};
use records::value::{Target, Value, encode};
use sync_protocol::op::Write;

use crate::cli::testing::{Device, enrolment};
use crate::store::Store;
use crate::store::testing::NOW;
use crate::store::write::{NewOp, On};

fn write(group: &Group, first: &[Option<Value>]) -> Write {
    let mut row = first.to_vec();
    row.resize(group.fields.len(), None);
    Write { tag: group.tag(), bytes: encode(group.fields, &row) }
}

/// Lets a job be on the device, as headquarters planned it.
fn job(device: &Device, no: &str, for_whom: DocId, from: Option<&str>) {
    let instant = |text: &str| Value::Int(Ts::parse(text, Zone::SHANGHAI).unwrap().0);
    let customer = Value::Ref(Target::Text("钱塘纺织".to_owned()));
    let mut writes = vec![
        write(&JobNo::GROUP, &[Some(Value::Text(no.to_owned()))]),
        write(&JobPlace::GROUP, &[Some(customer)]),
        write(&Assignee::GROUP, &[Some(Value::Ref(Target::Doc(for_whom)))]),
    ];
    writes.extend(from.map(|from| write(&Planned::GROUP, &[Some(instant(from))])));
    let mut store = Store::open(&device.dir.path().join("home"), NOW).unwrap();
    let op = NewOp { kind: JOB.number, schema: JOB.schema, on: On::Create, writes, local: None };
    store.save(vec![op], NOW).unwrap();
}

#[test]
fn a_day_has_its_own_jobs_in_their_order_and_the_command_of_the_next_step() {
    let device = Device::new();
    let me = enrolment(7).staff;
    let other = DocId(OpId { replica: Replica(99), ..me.0 });
    job(&device, "J1", me, Some("2026-11-22 14:00"));
    job(&device, "J2", me, Some("2026-11-22 08:30"));
    job(&device, "J3", me, Some("2026-11-23 08:30"));
    job(&device, "J4", me, Some("2026-11-21 16:00"));
    job(&device, "J5", other, Some("2026-11-22 08:30"));
    job(&device, "J6", me, None);
    let numbers = |device: &Device| -> Vec<String> {
        let day = device.json(&[]);
        assert_eq!((&day["day"], &day["jobs_later"]), (&"2026-11-22".into(), &1.into()));
        let jobs = day["jobs"].as_array().unwrap();
        jobs.iter().map(|job| job["number"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(numbers(&device), ["J4", "J2", "J1", "J6"]);
    let text = device.done(&[]);
    assert!(text.contains("2026-11-22 Sun  李工 (T006)"), "{text}");
    // Today's hour stands alone, an earlier day is named.
    assert!(text.contains("\n08:30 ") && text.contains("\n2026-11-21 16:00 "), "{text}");
    assert!(text.contains("fieldbook job accept J4 "), "{text}");
    for step in ["accept", "arrive"] {
        device.done(&["job", step, "J1"]);
    }
    assert_eq!(numbers(&device), ["J1", "J4", "J2", "J6"]);
    assert!(device.done(&[]).contains("fieldbook job start J1 "));
}

#[test]
fn a_day_names_what_is_only_here_and_the_sheet_that_waits_for_its_seal() {
    let device = Device::new();
    let code = device.ready();
    let text = device.done(&[]);
    assert!(text.contains("1 change, the oldest"), "{text}");
    assert!(text.contains(&format!("fieldbook sheet seal {code} ")), "{text}");
    // Before the first sync nothing else presses more.
    assert!(text.contains("Next\nfieldbook sync "), "{text}");
    assert_eq!(device.json(&[])["drafts"][0]["code"], code.as_str());
}

#[test]
fn a_days_answer_has_the_keys_of_the_status_and_its_own() {
    let device = Device::new();
    device.ready();
    job(&device, "J1", enrolment(7).staff, Some("2026-11-22 14:00"));
    let status = device.json(&["status"]);
    let mut day = device.json(&[]);
    let of_status = status.as_object().unwrap();
    assert!(of_status.keys().all(|name| day.get(name).is_some()));
    day.as_object_mut().unwrap().retain(|name, _| !of_status.contains_key(name));
    crate::cli::keys::check("no command, beside the keys of `status`", &day);
}

#[test]
fn where_no_device_is_yet_the_help_says_how_to_begin() {
    let device = Device::empty();
    assert!(device.done(&[]).contains("enrol"));
    assert_eq!(device.run(&["--json"]).exit, 1);
}
