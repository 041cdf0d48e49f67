//! What comes to a device, and what goes, when jobs change hands and people change roles.

use records::id::DocId;
use records::kinds::staff::Role;
use sync_protocol::asides::{Ask, ClockRun, OpRun, Tell};
use sync_protocol::conversation::{Answer, write_request};
use sync_protocol::digest::Buckets;
use sync_protocol::message::Item;
use sync_protocol::ruling::Verdict;

use crate::Hq;
use crate::device::{Device, post, step, text};

/// The documents that an answer creates at the reader's, and those that it takes off him.
fn moved(items: &[Item]) -> (Vec<DocId>, Vec<DocId>) {
    let (mut come, mut gone) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Segment(segment) => come.extend(segment.ids().map(DocId)),
            Item::Extract(extract) => come.extend(extract.open().unwrap().iter().map(|(id, _)| DocId(*id))),
            Item::Evict(doc) => gone.push(*doc),
            Item::Newer { .. } => panic!("nothing here is newer"),
        }
    }
    come.retain(|doc| doc.0.replica.0 != 0);
    gone.retain(|doc| doc.0.replica.0 != 0);
    (come, gone)
}

fn roles(hq: &Hq, code: &str, unit: &str, roles: &str) {
    hq.import("staff", &format!("code,unit,roles\n{code},{unit},{roles}\n"));
}

#[test]
fn who_becomes_supervisor_gets_the_branch_and_who_is_none_any_more_gives_it_back() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let sheets: Vec<DocId> = (0..3).map(|at| engineer.sheet(&format!("sheet {at}"))).collect();
    engineer.sync(hq.address, 0);
    let mut colleague = Device::scan(&hq.code("E2"), 2);
    colleague.sheet("his own");
    assert_eq!(moved(&colleague.sync(hq.address, 0).items), (vec![], vec![]));

    roles(&hq, "E2", "C1", "supervisor;engineer");
    assert_eq!(moved(&colleague.sync(hq.address, 1).items), (sheets.clone(), vec![]));
    roles(&hq, "E2", "C1", "engineer");
    assert_eq!(moved(&colleague.sync(hq.address, 1).items), (vec![], sheets.clone()));
    assert_eq!(moved(&colleague.sync(hq.address, 1).items), (vec![], vec![]), "said once");

    // What was made meanwhile comes by the branch's feed, what left the device comes again.
    let fourth = engineer.sheet("sheet 3");
    engineer.sync(hq.address, 3);
    roles(&hq, "E2", "C1", "supervisor");
    let (mut come, gone) = moved(&colleague.sync(hq.address, 1).items);
    come.sort_unstable();
    come.dedup();
    assert_eq!((come, gone), ([sheets, vec![fourth]].concat(), vec![]));
}

#[test]
fn a_supervisor_who_moves_leaves_the_old_branch_behind_and_what_had_left_it_before_he_heard() {
    let hq = Hq::start();
    let mut east = Device::scan(&hq.code("E1"), 1);
    let mut west = Device::scan(&hq.code("E3"), 2);
    let (here, there) = (east.sheet("east"), west.sheet("west"));
    east.sync(hq.address, 0);
    west.sync(hq.address, 0);
    hq.import("job", "no,type,assignee\nJ1,repair,E1\n");
    let mut boss = Device::scan(&hq.code("S1"), 3);
    let job = hq.desk().store.numbered(records::kinds::number::JOB, "J1").unwrap().unwrap();
    let seen = |items: &[Item]| -> (usize, usize) {
        let jobs = |item: &&Item| **item == Item::Evict(job);
        (moved(items).0.len(), items.iter().filter(jobs).count())
    };
    assert_eq!(seen(&boss.sync(hq.address, 0).items), (1, 0));
    // The job goes to the other branch, and so does he, before his device speaks again.
    hq.import("job", "no,type,assignee\nJ1,repair,E3\n");
    roles(&hq, "S1", "C2", "supervisor");
    let items = boss.sync(hq.address, 0).items;
    assert_eq!(moved(&items), (vec![there], vec![here]));
    // Into the branch that he oversees now it came with him: nothing to take off.
    assert_eq!(seen(&items).1, 0);
    roles(&hq, "S1", "C1", "engineer");
    assert_eq!(seen(&boss.sync(hq.address, 0).items).1, 1);
}

#[test]
fn who_worked_on_a_job_while_it_was_given_to_another_one_is_not_refused_and_later_on_he_is() {
    let hq = Hq::start();
    let (mut first, mut other) = (Device::scan(&hq.code("E1"), 1), Device::scan(&hq.code("E2"), 2));
    hq.import("job", "no,type,assignee\nJ1,repair,E1\n");
    first.sync(hq.address, 0);
    other.sync(hq.address, 0);
    let kind = records::kinds::number::JOB;
    let job = hq.desk().store.numbered(kind, "J1").unwrap().unwrap();
    hq.import("job", "no,type,assignee\nJ1,repair,E2\n");
    let accept = |device: &mut Device, seen: &[records::id::OpId]| {
        let (accept, _) = records::kinds::job_machine::JOB.step("accept").unwrap();
        let mut write = step("seal", Role::ENGINEER, "");
        let mut decision: records::decision::Decision = postcard::from_bytes(&write.bytes).unwrap();
        decision.step = accept;
        write.bytes = postcard::to_allocvec(&decision).unwrap();
        device.write(kind, Some(job), seen.to_vec(), vec![write]);
    };
    accept(&mut first, &[job.0]);
    let answer = first.sync(hq.address, 0);
    assert!(answer.ack.rulings.is_empty(), "{:?}", answer.ack.rulings);
    assert!(answer.items.contains(&Item::Evict(job)), "{:?}", answer.items);
    // The new one hears of it.
    let items = other.sync(hq.address, 0).items;
    assert!(moved(&items).0.contains(&DocId(first.op(0))), "{items:?}");
    // Now that he knows whose it is, the job is not his.
    let ops = hq.desk().history(job).unwrap();
    // Each time the office is at its desk it writes under an epoch of its own.
    let ends: std::collections::BTreeMap<_, _> =
        ops.iter().map(|op| op.id).filter(|id| id.replica.0 == 0).map(|id| (id.epoch, id)).collect();
    first.write(kind, Some(job), ends.into_values().collect(), vec![text("mine")]);
    let answer = first.sync(hq.address, 1);
    let scope = sync_protocol::reason::SCOPE;
    let refused = |verdict: &Verdict| matches!(verdict, Verdict::Quarantined { code, .. } if *code == scope);
    assert!(answer.ack.rulings.iter().flat_map(|ruling| &ruling.exceptions).any(|(_, told)| refused(told)));
}

/// Asks from op `from` on, with something beside the log.
fn asks(device: &mut Device, hq: &Hq, from: usize, asks: Vec<Ask>) -> Answer {
    let mut request = device.request(from);
    request.asks = asks;
    let body = write_request(&request, &device.signer);
    let (status, answer) = post(hq.address, &body);
    assert_eq!(status, 200);
    device.take(&body, &answer)
}

#[test]
fn what_a_device_asks_for_again_comes_only_where_it_may_see_it() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let sheet = engineer.sheet("pump");
    engineer.sync(hq.address, 0);
    let mut colleague = Device::scan(&hq.code("E2"), 2);
    let own = colleague.sheet("his own");
    colleague.sync(hq.address, 0);
    let nobody = DocId(records::id::OpId { seq: 99, ..own.0 });
    let answer = asks(&mut colleague, &hq, 1, vec![Ask::Reread(vec![sheet, own, nobody])]);
    assert_eq!(moved(&answer.items), (vec![own], vec![sheet]));
    let read = |items: &[Item]| -> usize { moved(items).0.len() };
    assert_eq!(read(&asks(&mut colleague, &hq, 1, Vec::new()).items), 0, "given once");

    // However often the buckets stand in a request, they are compared once, and name only what he may see.
    let buckets = || Ask::Buckets(Buckets::of([]));
    let answer = asks(&mut colleague, &hq, 1, vec![buckets(), buckets()]);
    let told: Vec<_> = answer
        .tells
        .iter()
        .filter_map(|tell| match tell {
            Tell::Differing(differing) => Some(differing),
            _ => None,
        })
        .collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    let held = |doc: DocId| told.documents.iter().find(|held| held.doc == doc);
    assert_eq!(held(own).map(|held| held.ops.clone()), Some(OpRun::of(&[own.0])));
    assert!(held(sheet).is_none() && told.documents.len() > 1, "{told:?}");
}

#[test]
fn what_a_device_says_of_its_clock_counts_for_its_own_ops_alone_and_breaks_nothing() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let sheet = engineer.sheet("pump");
    let epoch = engineer.epoch;
    let run = |first, last, shift_ms| ClockRun { epoch, first, last, shift_ms };
    let wild = [run(9, 1, 5), run(0, u64::MAX, 5), ClockRun { epoch: records::id::Epoch(7), ..run(1, 1, 5) }];
    let runs = [run(1, 1, -3_600_000)].into_iter().chain(wild).collect();
    asks(&mut engineer, &hq, 0, vec![Ask::Clocks(runs)]);
    let stamp = engineer.rows[0].stamp;
    let mut desk = hq.desk();
    let recorded = desk.recorded(sheet.0, stamp).unwrap().unwrap();
    assert_eq!(recorded.came.skew_ms, Some(-3_600_000));
    asks(&mut engineer, &hq, 1, vec![Ask::Clocks(vec![run(1, 1, i64::MIN), run(1, 1, i64::MAX)])]);
    let recorded = desk.recorded(sheet.0, stamp).unwrap().unwrap();
    assert_eq!((recorded.at_ms, recorded.came.skew_ms), (0, Some(i64::MAX)));
}
