//! Jobs, step by step.

use records::id::DocId;
use records::kinds::job::JOB;
use records::kinds::staff::Role;
use serde_json::Value;
use sync_protocol::enrolment::Enrolment;

use crate::cli::testing::{Device, enrolment};
use crate::store::Store;
use crate::store::testing::NOW;
use crate::store::write::{NewOp, On};

/// Returns a supervisor's device, and the code of a job on it.
fn device() -> (Device, String) {
    let device = Device::enrolled(&Enrolment { roles: vec![Role::SUPERVISOR], ..enrolment(7) });
    let mut store = Store::open(&device.dir.path().join("home"), NOW).unwrap();
    let job = NewOp { kind: JOB.number, schema: JOB.schema, on: On::Create, writes: Vec::new(), local: None };
    let code = DocId(store.save(vec![job], NOW).unwrap()[0]).code();
    (device, code)
}

#[test]
fn a_job_that_is_not_wanted_is_cancelled_with_a_reason() {
    let (device, code) = device();
    assert_eq!(device.run(&["job", "cancel", &code]).exit, 2);
    let silent = device.run(&["job", "cancel", &code, "--reason", " "]);
    assert!(silent.err.contains("[W-11]"), "{}", silent.err);
    device.done(&["job", "cancel", &code, "--reason", "customer called it off"]);
    let shown = device.json(&["job", "show", &code]);
    assert_eq!((&shown["state"], &shown["flags"]), (&"cancelled".into(), &Value::Array(Vec::new())));
    assert_eq!(shown["decisions"][0]["reason"], "customer called it off");
}

#[test]
fn a_hand_over_names_a_colleague_who_is_here() {
    let (device, code) = device();
    device.done(&["job", "accept", &code]);
    let nobody = device.run(&["job", "hand-over", &code, "--to", "T999"]);
    assert!(nobody.err.contains("[W-03]"), "{}", nobody.err);
    assert_eq!(device.json(&["job", "show", &code])["state"], "accepted");
    let early = device.run(&["job", "take", &code]);
    assert!(early.err.contains("[W-07]"), "{}", early.err);
}

#[test]
fn nobody_reviews_his_own_job() {
    let (device, code) = device();
    for step in ["accept", "arrive", "start", "pause", "resume", "finish"] {
        device.done(&["job", step, &code]);
    }
    let own = device.run(&["job", "review", &code]);
    assert!(own.err.contains("[W-10]"), "{}", own.err);
}
