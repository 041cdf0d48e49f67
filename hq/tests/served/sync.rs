//! What devices push, and what they and others get.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use fieldbook_hq::porter::Limits;
use fieldbook_hq::session::Session;
use records::id::DocId;
use records::kinds::staff::Role;
use sync_protocol::conversation::{RequestHash, read_answer, write_request};
use sync_protocol::message::{Compared, Item, Notice};
use sync_protocol::ruling::Verdict;

use crate::Hq;
use crate::device::{Device, NOW_MS, post, step, text};

/// The names of all ops that an answer brings.
fn ops(items: &[Item]) -> Vec<String> {
    let mut all = Vec::new();
    for item in items {
        match item {
            Item::Segment(segment) => all.extend(segment.ids().map(|id| id.to_string())),
            Item::Extract(extract) => {
                all.extend(extract.open().unwrap().iter().map(|(id, _)| id.to_string()));
            }
            Item::Evict(doc) => all.push(format!("-{doc}")),
            Item::Newer { .. } => panic!("nothing here is newer"),
        }
    }
    all.retain(|id| !id.starts_with("0."));
    all
}

#[test]
fn a_sheet_reaches_headquarters_and_its_supervisor_and_nobody_else() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let doc = engineer.sheet("no heating");
    engineer.write(12, Some(doc), vec![], vec![text("no heating at all")]);
    let answer = engineer.sync(hq.address, 0);
    assert_eq!(answer.ack.held[0].up_to, 2);
    assert!(answer.certificate.is_some());
    assert!(answer.ack.rulings.is_empty(), "{:?}", answer.ack.rulings);
    let own = answer.rulings.iter().find(|ruling| ruling.replica == engineer.enrolment.replica).unwrap();
    assert_eq!((own.first, own.count, own.exceptions.len()), (1, 2, 0));
    let mut supervisor = Device::scan(&hq.code("S1"), 2);
    assert_eq!(ops(&supervisor.sync(hq.address, 0).items), [format!("{doc}"), engineer.op(1).to_string()]);
    for (staff, seed) in [("E2", 3), ("E3", 4), ("S2", 5)] {
        let answer = Device::scan(&hq.code(staff), seed).sync(hq.address, 0);
        assert_eq!(ops(&answer.items), Vec::<String>::new(), "{staff}");
    }
}

#[test]
fn lost_reply_does_not_double_a_receipt() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("first");
    device.sync(hq.address, 0);
    let before = hq.desk().store.ops().unwrap();
    device.sheet("second");
    device.sheet("third");
    let answer = device.sync(hq.address, 0);
    assert_eq!(answer.ack.held[0].up_to, 3);
    let again = device.sync(hq.address, 0);
    assert_eq!((again.ack.held[0].up_to, again.ack.held[0].count), (3, 3));
    assert_eq!(hq.desk().store.ops().unwrap(), before + 2);
    assert!(!again.notices.iter().any(|notice| matches!(notice, Notice::Fork { .. } | Notice::Copied)));
}

/// The line broke, and most of the push still lay in HQ's socket when the device asked what had arrived. Returns the last
/// op that it is told of, and the last one that HQ holds once it has read all that came.
fn told_and_held_after_a_broken_line(turn: Duration) -> (u64, u64) {
    let hq = Hq::start_with(Limits { turn, ..Limits::default() });
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    // Letters that do not deflate, so that it takes many reads.
    let noise =
        |at: u64| sync_protocol::chain::sha256(&[&at.to_le_bytes()]).map(|byte| format!("{byte:02x}"));
    for at in 0..2_000 {
        device.sheet(&(0..4).flat_map(|part| noise(at * 4 + part)).collect::<String>());
    }
    let body = write_request(&device.request(0), &device.signer);
    let mut asked = device.request(0);
    let last = asked.segments.pop().unwrap();
    asked.segments.clear();
    let head = format!("POST /v1/sync HTTP/1.1\r\nHost: hq\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut line = TcpStream::connect(hq.address).unwrap();
    // The end of the last segment and the signature do not arrive.
    let arrives = &body[..body.len() - 64 - 16];
    let (desk, replica) = (hq.desk(), device.enrolment.replica);
    let branch = desk.store.device(replica).unwrap().unwrap().branch;
    let held = || desk.store.line(branch, (replica, device.epoch)).unwrap().map_or(0, |held| held.last);
    let told = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            line.write_all(&[head.as_bytes(), arrives].concat()).unwrap();
            line.shutdown(Shutdown::Write).unwrap();
        });
        while held() == 0 {
            std::thread::yield_now();
        }
        sending.join().unwrap();
        let body = write_request(&asked, &device.signer);
        let (status, answer) = post(hq.address, &body);
        assert_eq!(status, 200);
        let (answer, _) = read_answer(&answer, RequestHash::of(&body), &device.enrolment.hq_key).unwrap();
        answer.ack.held[0].up_to
    });
    while held() < last.first - 1 {
        std::thread::yield_now();
    }
    (told, held())
}

#[test]
fn who_comes_again_hears_of_all_that_arrived_before_the_line_broke() {
    let (told, held) = told_and_held_after_a_broken_line(Duration::from_secs(600));
    assert_eq!(told, held);
}

/// Shows that the test above can fail: without its turn a device is told less than what HQ is taking in, and sends that
/// again.
#[test]
fn without_turns_a_device_is_told_less_than_what_arrived() {
    let told_less = || {
        let (told, held) = told_and_held_after_a_broken_line(Duration::ZERO);
        told < held
    };
    assert!((0..20).any(|_| told_less()), "it heard of everything, 20 times");
}

/// A request waited on the line while its repetition and the next sync were answered: its lease is two answers old.
#[test]
fn a_request_that_was_held_up_on_the_line_makes_no_copy_of_its_device() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("first");
    device.sync(hq.address, 0);
    let body = |device: &Device, monotonic_ms: u64| {
        let mut request = device.request(0);
        request.hello.clocks.monotonic_ms = monotonic_ms;
        write_request(&request, &device.signer)
    };
    let held_up = body(&device, 10);
    for monotonic_ms in [20, 30] {
        let body = body(&device, monotonic_ms);
        device.take(&body, &post(hq.address, &body).1);
    }
    assert_eq!(post(hq.address, &held_up).0, 200);
    let body = body(&device, 40);
    let answer = device.take(&body, &post(hq.address, &body).1);
    assert!(!answer.notices.contains(&Notice::Copied), "{:?}", answer.notices);
    assert!(!hq.desk().store.device(device.enrolment.replica).unwrap().unwrap().copied);
}

#[test]
fn what_the_last_bytes_complete_is_kept_with_the_answer() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    device.sheet("pump");
    let body = write_request(&device.request(0), &device.signer);
    let mut session = Session::new(hq.office(), 1 << 20);
    session.push_last(&body).unwrap();
    assert_eq!(hq.holds(&device), 0);
    let answer = session.finish().unwrap();
    assert_eq!(hq.holds(&device), 1);
    assert_eq!(device.take(&body, &answer).ack.held[0].up_to, 1);
    // Or before it, where the answer has to wait for another conversation of the device.
    device.sheet("valve");
    let body = write_request(&device.request(1), &device.signer);
    let mut session = Session::new(hq.office(), 1 << 20);
    session.push_last(&body).unwrap();
    session.keep().unwrap();
    assert_eq!(hq.holds(&device), 2);
    let answer = session.finish().unwrap();
    assert_eq!(device.take(&body, &answer).ack.held[0].up_to, 2);
}

#[test]
fn a_gap_is_asked_again() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    for at in 0..3 {
        device.sheet(&format!("sheet {at}"));
    }
    let answer = device.sync(hq.address, 1);
    assert!(answer.ack.held.iter().all(|held| held.up_to == 0), "{:?}", answer.ack.held);
    assert_eq!(device.sync(hq.address, 0).ack.held[0].up_to, 3);
}

#[test]
fn an_engineer_cannot_accept_his_own_sheet_and_the_rest_goes_on() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    let doc = device.sheet("pump");
    device.write(12, Some(doc), vec![], vec![step("seal", Role::ENGINEER, "")]);
    device.write(12, Some(doc), vec![], vec![step("accept", Role::SUPERVISOR, "")]);
    device.sheet("another");
    let answer = device.sync(hq.address, 0);
    let told = &answer.ack.rulings[0];
    assert_eq!(told.exceptions.len(), 1, "{told:?}");
    let (at, verdict) = &told.exceptions[0];
    assert_eq!(*at, 2);
    let role = sync_protocol::reason::ROLE;
    assert!(matches!(verdict, Verdict::Quarantined { code, .. } if *code == role), "{verdict:?}");
    assert_eq!(answer.ack.held[0].up_to, 4);
}

#[test]
fn a_supervisors_word_goes_back_to_the_engineer() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let doc = engineer.sheet("pump");
    let seal = engineer.write(12, Some(doc), vec![], vec![step("seal", Role::ENGINEER, "")]);
    engineer.sync(hq.address, 0);
    let mut supervisor = Device::scan(&hq.code("S1"), 2);
    supervisor.sync(hq.address, 0);
    let accept = supervisor.write(12, Some(doc), vec![seal], vec![step("accept", Role::SUPERVISOR, "")]);
    let answer = supervisor.sync(hq.address, 0);
    assert!(answer.ack.rulings.is_empty(), "{:?}", answer.ack.rulings);
    let answer = engineer.sync(hq.address, 2);
    assert_eq!(ops(&answer.items), [accept.to_string()]);
    let known = hq.desk().store.find(&doc.code()).unwrap();
    assert_eq!(known, [doc]);
}

#[test]
fn an_op_whose_past_is_missing_waits_and_is_judged_when_it_comes() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let mut second = Device::scan(&hq.code("E1"), 2);
    let doc = engineer.sheet("pump");
    second.write(12, Some(doc), vec![doc.0], vec![text("the pump")]);
    let answer = second.sync(hq.address, 0);
    let deferred = &answer.ack.rulings[0].exceptions[0].1;
    assert_eq!(*deferred, Verdict::Deferred { missing: doc.0 });
    let answer = engineer.sync(hq.address, 0);
    assert_eq!(ops(&answer.items), [second.op(0).to_string()]);
    let answer = second.sync(hq.address, 1);
    let own = |ruling: &&sync_protocol::ruling::Ruling| ruling.replica == second.enrolment.replica;
    let ruling = answer.rulings.iter().find(own).unwrap();
    assert_eq!((ruling.version, ruling.exceptions.len()), (2, 0));
    assert_eq!(ops(&answer.items), [doc.to_string()]);
}

#[test]
fn a_new_device_of_the_same_person_gets_what_the_first_one_wrote() {
    let hq = Hq::start();
    let mut first = Device::scan(&hq.code("E1"), 1);
    let doc = first.sheet("pump");
    first.sync(hq.address, 0);
    let mut second = Device::scan(&hq.code("E1"), 2);
    let answer = second.sync(hq.address, 0);
    assert_eq!(ops(&answer.items), [doc.to_string()]);
    assert!(answer.rulings.iter().any(|ruling| ruling.replica == first.enrolment.replica));
}

#[test]
fn a_digest_is_compared_when_nothing_moves() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sheet("pump");
    device.sync(hq.address, 0);
    device.digest = Some([7; 16]);
    let Compared::Differs(ours) = device.sync(hq.address, 1).ack.digest else { panic!("not compared") };
    device.digest = Some(ours);
    assert_eq!(device.sync(hq.address, 1).ack.digest, Compared::Equal);
}

#[test]
fn the_index_is_what_the_segments_make() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    for at in 0..40 {
        let doc = device.sheet(&format!("sheet {at}"));
        device.write(12, Some(doc), vec![], vec![step("seal", Role::ENGINEER, "")]);
    }
    device.sync(hq.address, 0);
    let mut desk = hq.desk();
    let before = desk.rebuild(false).unwrap();
    assert_eq!(before.differed, 0);
    assert!(before.documents >= 50, "{before:?}");
    desk.transact(|desk| desk.store.documents_clear()).unwrap();
    assert_eq!(desk.transact(|desk| desk.rebuild(true)).unwrap().differed, before.documents);
    assert_eq!(desk.rebuild(false).unwrap(), before);
}

/// Of the jobs among an answer's items: which come, and which go.
fn jobs(items: &[Item], job: DocId) -> (bool, bool) {
    let brings = |item: &Item| match item {
        Item::Segment(segment) => segment.ids().any(|id| id == job.0),
        Item::Extract(extract) => extract.open().unwrap().iter().any(|(id, _)| *id == job.0),
        Item::Evict(_) | Item::Newer { .. } => false,
    };
    let drops = |item: &Item| *item == Item::Evict(job);
    (items.iter().any(brings), items.iter().any(drops))
}

#[test]
fn a_job_given_to_another_leaves_the_first_one_and_comes_to_him_whole() {
    let hq = Hq::start();
    let mut first = Device::scan(&hq.code("E1"), 1);
    let mut other = Device::scan(&hq.code("E2"), 2);
    let mut west = Device::scan(&hq.code("S2"), 3);
    let mut desk = hq.desk();
    let kind = records::kinds::by_name("job").unwrap();
    let mut import = |who: &str| {
        let file = format!("no,type,assignee,instructions\nJ1,repair,{who},look at the pump\n");
        let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
        desk.store.numbered(kind.number, "J1").unwrap().unwrap()
    };
    let job = import("E1");
    assert_eq!(jobs(&first.sync(hq.address, 0).items, job), (true, false));
    assert_eq!(jobs(&other.sync(hq.address, 0).items, job), (false, false));
    assert_eq!(import("E2"), job);
    assert_eq!(jobs(&first.sync(hq.address, 0).items, job), (false, true));
    assert_eq!(jobs(&other.sync(hq.address, 0).items, job), (true, false));
    assert_eq!(jobs(&west.sync(hq.address, 0).items, job), (false, false));
}

#[test]
fn ops_that_wait_behind_one_another_are_all_judged_when_the_first_comes() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let (mut a, mut b) = (Device::scan(&hq.code("E1"), 2), Device::scan(&hq.code("E1"), 3));
    // The one with the smaller name builds on the other one: by name it comes first, by its past it comes last.
    if a.enrolment.replica.0 < b.enrolment.replica.0 {
        std::mem::swap(&mut a, &mut b);
    }
    let doc = engineer.sheet("pump");
    let first = a.write(12, Some(doc), vec![doc.0], vec![text("the pump")]);
    let mut seen = vec![doc.0, first];
    seen.sort_unstable_by_key(|op| (op.replica, op.epoch));
    let second = b.write(12, Some(doc), seen, vec![text("the old pump")]);
    a.sync(hq.address, 0);
    b.sync(hq.address, 0);
    let answer = engineer.sync(hq.address, 0);
    assert_eq!(ops(&answer.items), [first.to_string(), second.to_string()]);
    assert!(hq.desk().store.waiting_ops().unwrap().is_empty());
}

#[test]
fn however_little_a_device_asks_for_it_gets_on() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let long = "a".repeat(3_000);
    for _ in 0..60 {
        engineer.sheet(&long);
    }
    engineer.sync(hq.address, 0);
    let mut supervisor = Device::scan(&hq.code("S1"), 2);
    let (mut pages, mut got) = (0, 0);
    loop {
        let mut request = supervisor.request(0);
        request.hello.answer_bytes_max = 1;
        let body = write_request(&request, &supervisor.signer);
        let (status, answer) = post(hq.address, &body);
        assert_eq!(status, 200);
        let answer = supervisor.take(&body, &answer);
        got += ops(&answer.items).len();
        pages += 1;
        assert!(pages < 100, "no end");
        if !answer.end.more {
            break;
        }
    }
    assert_eq!(got, 60);
}

#[test]
fn what_only_headquarters_may_create_is_refused_and_told_to_nobody_else() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    let staff = records::kinds::number::STAFF;
    let doc = DocId(engineer.write(staff, None, vec![], vec![]));
    let answer = engineer.sync(hq.address, 0);
    assert_eq!(answer.ack.rulings[0].exceptions.len(), 1);
    let mut colleague = Device::scan(&hq.code("E2"), 2);
    assert_eq!(ops(&colleague.sync(hq.address, 0).items), Vec::<String>::new());
    let mut own = Device::scan(&hq.code("E1"), 3);
    assert_eq!(ops(&own.sync(hq.address, 0).items), [doc.to_string()]);
}

#[test]
fn a_segment_cut_anew_brings_its_first_readers_no_more_than_the_old_one() {
    let hq = Hq::start();
    let mut engineer = Device::scan(&hq.code("E1"), 1);
    engineer.sheet("first");
    engineer.sync(hq.address, 0);
    engineer.sheet("second");
    engineer.sync(hq.address, 0);
    let line = (engineer.enrolment.replica, engineer.epoch);
    let desk = hq.desk();
    let branch = desk.store.branch_of(line.0).unwrap().unwrap();
    let counted = desk.store.segments_from(branch, line, &[1]).unwrap().into_iter();
    assert_eq!(counted.map(|kept| kept.segment.count).collect::<Vec<_>>(), [1, 2]);
    let answer = Device::scan(&hq.code("S1"), 2).sync(hq.address, 0);
    assert_eq!(ops(&answer.items).len(), 2);
}

#[test]
fn a_key_that_stands_twice_in_a_file_changes_nothing_the_second_time_either() {
    let hq = Hq::start();
    let mut desk = hq.desk();
    let kind = records::kinds::by_name("staff").unwrap();
    let file = "code,name,unit,roles\nE7,Qian,C1,engineer\nE7,Zhou,C1,engineer\n,Nobody,C1,engineer\n";
    for added in [1, 0, 0] {
        let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
        assert_eq!((done.read, done.added, done.changed), (3, added, 0));
        assert_eq!((done.already, done.refused.len()), (2 - added, 1));
    }
}
