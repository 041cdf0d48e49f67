//! What came long ago leaves the table that every sync works on, and everything is read as before.

use fieldbook_hq::archive::Archived;
use fieldbook_hq::data::Data;
use fieldbook_hq::enrol::Reach;
use fieldbook_hq::feed::{Page, Reader};
use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::store::StoreError;
use records::id::{Epoch, OpId, Replica};
use sync_protocol::cursor::Cursor;
use sync_protocol::message::Notice;

use crate::cluster::Cluster;
use crate::device::{Device, NOW_MS, text};

const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";
const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\nS1,Chen,C1,supervisor\n";
const LATER_MS: u64 = NOW_MS + 1_000_000;

/// A headquarters on either engine, with two devices of an engineer's.
fn on_both(law: impl Fn(&mut Desk, [Device; 2])) {
    for server in [None, Some(Cluster::shared().database())] {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(folder.path());
        match &server {
            None => data.init("http://127.0.0.1:7400").unwrap(),
            Some(url) => data.init_at_server("http://127.0.0.1:7400", url).unwrap(),
        }
        let mut desk = data.open(false).unwrap();
        for (kind, file) in [("org", ORG), ("staff", STAFF)] {
            let kind = records::kinds::by_name(kind).unwrap();
            let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
            assert!(done.refused.is_empty(), "{:?}", done.refused);
        }
        let devices = [1, 2].map(|seed| {
            let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
            let code = desk.transact(|desk| desk.issue_code("E1", &reach, NOW_MS)).unwrap();
            let device = Device::scan(&code.to_code(), seed);
            let enrol = device.enrol();
            desk.transact(|desk| desk.bind(code.replica, &enrol, NOW_MS)).unwrap();
            device
        });
        law(&mut desk, devices);
    }
}

fn takes(desk: &mut Desk, device: &Device, from: usize, now_ms: u64) -> Vec<Notice> {
    let segments = device.segments(from);
    desk.transact(|desk| desk.take(segments, now_ms)).unwrap().notices
}

/// Everything that is read of segments: all of them in order, what each device of the branch is given from the
/// beginning, each op, and when it came.
fn all_that_is_read(desk: &mut Desk, devices: &[Device; 2]) -> (Vec<String>, Vec<Page>) {
    let mut said = Vec::new();
    desk.store
        .each_segment::<StoreError>(|branch, kept| {
            said.push(format!("{branch} {kept:?}"));
            Ok(())
        })
        .unwrap();
    let mut pages = Vec::new();
    for device in devices {
        let known = desk.store.device(device.enrolment.replica).unwrap().unwrap();
        let line = (known.replica, device.epoch);
        for at in 0..device.rows.len() {
            let op = device.op(at);
            said.push(format!("{:?}", desk.row(op).unwrap()));
            said.push(format!("{:?}", desk.store.came(known.branch, line, op.seq).unwrap()));
        }
        said.push(format!("{:?}", desk.store.line_arrivals(known.branch, line).unwrap()));
        said.push(format!("{:?}", desk.store.line_backed_up(known.branch, line).unwrap()));
        let oversees = Some(known.branch);
        let reader =
            Reader { replica: Replica(u32::MAX), home: known.branch, staff: None, oversees, reads: None };
        pages.push(desk.page(&reader, &Cursor::default(), usize::MAX).unwrap());
    }
    (said, pages)
}

#[test]
fn what_was_archived_is_read_as_before_and_work_goes_on_upon_it() {
    on_both(|desk, mut devices| {
        for device in &mut devices {
            let sheet = device.sheet("no heating");
            takes(desk, device, 0, NOW_MS);
            device.write(12, Some(sheet), vec![], vec![text("still none")]);
            takes(desk, device, 1, NOW_MS + 1);
            // Sent again with more behind it: it begins with the same op as one that is held already.
            device.write(12, Some(sheet), vec![], vec![text("warm again")]);
            takes(desk, device, 1, LATER_MS);
        }
        let before = all_that_is_read(desk, &devices);
        let all = desk.store.held_and_archived().unwrap().0;
        let archived = desk.archive(LATER_MS).unwrap();
        assert!(archived.segments > 4 && archived.ops > archived.segments, "{archived:?}");
        let (kept, gone) = desk.store.held_and_archived().unwrap();
        assert_eq!((kept.segments, gone.segments), (2, archived.segments));
        assert_eq!(kept.bytes + gone.bytes, all.bytes);
        desk.forget();
        assert_eq!(all_that_is_read(desk, &devices), before);
        assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0);
        assert_eq!(desk.archive(LATER_MS).unwrap(), Archived::default(), "it is there already");
        // All of it: the next op hangs behind what lies in the archive, and a fork of it is seen.
        desk.archive(u64::from(u32::MAX) * 1_000_000).unwrap();
        desk.forget();
        assert_eq!(all_that_is_read(desk, &devices), before);
        let [one, _] = &mut devices;
        let n_ops = one.rows.len();
        let sheet = records::id::DocId(one.op(0));
        one.write(12, Some(sheet), vec![], vec![text("cold once more")]);
        assert_eq!(takes(desk, one, n_ops, LATER_MS + 1), []);
        assert_eq!(takes(desk, one, 0, LATER_MS + 2), [], "what is sent again is not kept twice");
        one.rows.truncate(1);
        one.write(12, Some(sheet), vec![], vec![text("another history")]);
        let told = takes(desk, one, 0, LATER_MS + 3);
        assert!(matches!(told.as_slice(), [Notice::Fork { common: 1, .. }]), "{told:?}");
        assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0);
    });
}

#[test]
fn a_device_that_lost_its_log_is_given_back_what_lies_in_the_archive() {
    on_both(|desk, [mut device, _]| {
        for problem in ["one", "two", "three"] {
            device.sheet(problem);
        }
        takes(desk, &device, 0, NOW_MS);
        desk.archive(LATER_MS).unwrap();
        desk.forget();
        let known = desk.store.device(device.enrolment.replica).unwrap().unwrap();
        // Its home was put back to nothing: it begins a new line beside the one that it forgot.
        let lost = device.epoch;
        device.epoch = Epoch(99);
        device.rows.clear();
        device.sheet("four");
        let told = takes(desk, &device, 0, LATER_MS);
        assert!(told.contains(&Notice::Rewound { epoch: lost, seq: 0 }), "{told:?}");
        let reader = Reader {
            replica: known.replica,
            home: known.branch,
            staff: known.staff,
            oversees: None,
            reads: None,
        };
        let page = desk.page(&reader, &Cursor::default(), usize::MAX).unwrap();
        let mut back: Vec<OpId> = Vec::new();
        for item in page.items {
            if let sync_protocol::message::Item::Extract(extract) = item {
                back.extend(extract.open().unwrap().into_iter().map(|(id, _)| id));
            }
        }
        back.retain(|id| (id.replica, id.epoch) == (known.replica, lost));
        assert_eq!(back.iter().map(|id| id.seq).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

#[test]
fn what_an_op_waits_for_keeps_its_segment_where_it_is() {
    on_both(|desk, [mut one, mut two]| {
        let sheet = one.sheet("no heating");
        // The other device read it over somebody's shoulder: HQ has not heard of it yet.
        two.write(12, Some(sheet), vec![one.op(0)], vec![text("still none")]);
        takes(desk, &two, 0, NOW_MS);
        assert!(desk.store.anything_waits().unwrap());
        desk.archive(LATER_MS).unwrap();
        assert_eq!(desk.store.held_and_archived().unwrap().0.segments, 1);
        takes(desk, &one, 0, LATER_MS);
        assert!(!desk.store.anything_waits().unwrap(), "it was judged once the other came");
        desk.archive(LATER_MS + 1).unwrap();
        assert_eq!(desk.store.held_and_archived().unwrap().0.segments, 0);
        assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0);
    });
}
