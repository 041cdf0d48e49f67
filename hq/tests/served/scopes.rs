//! What comes to a device, and what goes, when jobs change hands and people change roles.

use records::id::DocId;
use records::kinds::staff::Role;
use sync_protocol::message::Item;
use sync_protocol::ruling::Verdict;

use crate::Hq;
use crate::device::{Device, step, text};

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
    let seen = |items: &[Item]| -> (usize, usize) {
        let jobs = |item: &&Item| matches!(item, Item::Evict(doc) if doc.0.replica.0 == 0);
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
