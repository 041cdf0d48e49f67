//! What the entries of a page name is read together: nothing else, and in few statements.

use fieldbook_hq::data::Data;
use fieldbook_hq::enrol::{EnrolError, Reach};
use fieldbook_hq::feed::Reader;
use fieldbook_hq::store::Store;
use fieldbook_hq::store::archived::BEFORE_ALL;
use fieldbook_hq::store::log::{Came, Kept};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use records::id::{Epoch, Replica};
use sync_protocol::chain::{Line, Link};
use sync_protocol::cursor::{Cursor, Feed};
use sync_protocol::segment::Segment;
use sync_protocol::sign::Signature;

use crate::both;
use crate::cluster::Cluster;
use crate::device::NOW_MS;

const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";
const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\n";
const BRANCH: u32 = 3;

fn kept((replica, epoch): Line, first: u64, count: u32, arrival: u64) -> Kept {
    let body = arrival.to_le_bytes().to_vec();
    let (link, signature) = (Link([3; 32]), Signature([4; 64]));
    let segment = Segment { replica, epoch, first, count, link, body, signature };
    Kept { segment, arrival, came: Came { received_ms: arrival, skew_ms: None } }
}

fn lines() -> impl Strategy<Value = Line> {
    (1..4_u32, 1..3_u32).prop_map(|(replica, epoch)| (Replica(replica), Epoch(epoch)))
}

/// Keeps segments that begin here and there, moves some of them into the archive, and returns all.
fn filled(store: &Store, begins: Vec<(Line, u64)>, archived_ms: u64) -> Vec<Kept> {
    let mut all = Vec::new();
    for (arrival, (line, first)) in (1..).zip(begins) {
        let kept = kept(line, first, 3, arrival);
        // The same in another branch, which must not be found.
        for branch in [BRANCH, BRANCH + 1] {
            store.segment_put(branch, &kept).unwrap();
        }
        all.push(kept);
    }
    for name in store.segments_before(BRANCH, BEFORE_ALL, archived_ms, 1_000).unwrap() {
        store.segment_archive(BRANCH, name).unwrap();
    }
    all
}

fn check(store: &Store, all: &[Kept], line: Line, firsts: &[u64]) -> Result<(), TestCaseError> {
    let found = store.segments_from(BRANCH, line, firsts).unwrap();
    for first in firsts {
        let begins = |kept: &&Kept| kept.segment.line() == line && kept.segment.first == *first;
        let wanted: Vec<&Kept> = all.iter().filter(begins).collect();
        prop_assert_eq!(found.iter().filter(begins).collect::<Vec<_>>(), wanted, "each once, by arrival");
    }
    prop_assert!(found.iter().all(|kept| firsts.contains(&kept.segment.first)));
    Ok(())
}

#[test]
fn segments_that_are_read_together_are_those_that_begin_there_archived_or_not() {
    both(|place| {
        let store = place.create();
        let begins = proptest::collection::vec((lines(), 1..200_u64), 1..80);
        let firsts = proptest::collection::vec(1..200_u64, 1..150);
        let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
        let checked = TestRunner::new(config).run(
            &(begins, lines(), firsts, 0..80_u64),
            |(begins, line, firsts, archived_ms)| {
                store.begin().unwrap();
                let all = filled(&store, begins, archived_ms);
                let checked = check(&store, &all, line, &firsts);
                store.roll_back().unwrap();
                checked
            },
        );
        checked.unwrap();
    });
}

#[test]
fn a_new_devices_first_page_takes_few_statements_however_many_entries_it_has() {
    const DEVICES: u64 = 300;
    let url = Cluster::shared().database();
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(folder.path());
    data.init_at_server("http://127.0.0.1:7400", &url).unwrap();
    let mut desk = data.open(false).unwrap();
    for (kind, file) in [("org", ORG), ("staff", STAFF)] {
        let kind = records::kinds::by_name(kind).unwrap();
        desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
    }
    let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
    let issue = |desk: &mut fieldbook_hq::intake::desk::Desk| -> Result<(), EnrolError> {
        (0..DEVICES).try_for_each(|_| desk.issue_code("E1", &reach, NOW_MS).map(drop))
    };
    desk.transact(issue).unwrap();
    drop(desk);
    Cluster::note_statements(&url);
    let mut desk = data.open(false).unwrap();
    let entries = desk.store.feed_end(0, Feed::Company).unwrap();
    assert!(entries >= DEVICES, "{entries}");
    let before = Cluster::shared().noted();
    let reader = Reader { replica: Replica(u32::MAX), home: 1, staff: None, oversees: None, reads: None };
    let page = desk.page(&reader, &Cursor::default(), usize::MAX).unwrap();
    let asked = Cluster::shared().noted() - before;
    assert!(!page.end.more && page.items.len() as u64 == entries, "{} of {entries}", page.items.len());
    // Three for 4, 8, 16 and 32 entries, then for each 64, and where the feeds end.
    assert!((1..=40).contains(&asked), "{asked} statements for {entries} entries");
}
