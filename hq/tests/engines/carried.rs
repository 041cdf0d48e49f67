//! What was archived goes along: to another engine, into a backup and out of it, and through a rebuild.

use std::path::Path;

use fieldbook_hq::data::Data;
use fieldbook_hq::enrol::Reach;
use fieldbook_hq::feed::Reader;
use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::store::StoreError;
use fieldbook_hq::store::archived::Held;
use records::id::{OpId, Replica};
use sync_protocol::cursor::Cursor;
use sync_protocol::message::Item;
use sync_protocol::ruling::Ruling;

use crate::cluster::Cluster;
use crate::device::{Device, NOW_MS, text};

const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";
const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\n";
const LATER_MS: u64 = NOW_MS + 1_000_000;

/// Fills a headquarters whose older segments lie in the archive, and returns the ops of its device.
fn archived(data: &Data) -> Vec<OpId> {
    let mut desk = data.open(false).unwrap();
    for (kind, file) in [("org", ORG), ("staff", STAFF)] {
        let kind = records::kinds::by_name(kind).unwrap();
        let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }
    let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
    let code = desk.transact(|desk| desk.issue_code("E1", &reach, NOW_MS)).unwrap();
    let mut device = Device::scan(&code.to_code(), 1);
    let enrol = device.enrol();
    desk.transact(|desk| desk.bind(code.replica, &enrol, NOW_MS)).unwrap();
    let mut push = |device: &Device, from: usize, now_ms| {
        let segments = device.segments(from);
        desk.transact(|desk| desk.take(segments, now_ms)).unwrap();
    };
    let old = device.sheet("no heating");
    push(&device, 0, NOW_MS);
    device.sheet("no water");
    push(&device, 1, NOW_MS + 1);
    // A young op on an old sheet, in a segment that begins with an old one.
    device.write(12, Some(old), vec![], vec![text("warm again")]);
    push(&device, 1, LATER_MS);
    desk.archive(LATER_MS).unwrap();
    (0..device.rows.len()).map(|at| device.op(at)).collect()
}

/// What a headquarters holds, and what it gives to whoever reads from the beginning.
#[derive(Debug, PartialEq)]
struct Whole {
    places: (Held, Held),
    documents: Vec<String>,
    segments: Vec<String>,
    items: Vec<Item>,
    rulings: Vec<Ruling>,
}

fn whole(desk: &mut Desk) -> Whole {
    let (mut documents, mut segments) = (Vec::new(), Vec::new());
    let note = |branch, indexed| {
        documents.push(format!("{branch} {indexed:?}"));
        Ok::<_, StoreError>(())
    };
    desk.store.each_document(None, note).unwrap();
    let note = |branch, kept| {
        segments.push(format!("{branch} {kept:?}"));
        Ok::<_, StoreError>(())
    };
    desk.store.each_segment(note).unwrap();
    let replica = Replica(u32::MAX);
    let reader = Reader { replica, home: 1, staff: None, oversees: Some(1), reads: None };
    let page = desk.page(&reader, &Cursor::default(), usize::MAX).unwrap();
    assert!(!page.end.more);
    let places = desk.store.held_and_archived().unwrap();
    Whole { places, documents, segments, items: page.items, rulings: page.rulings }
}

/// Looks whether all is there as it was, and whether views can be made again from it.
fn is_whole(desk: &mut Desk, before: &Whole, ops: &[OpId]) {
    let after = whole(desk);
    assert_eq!(after, *before);
    let (young, old) = after.places;
    assert!(young.segments > 0 && old.segments > 4, "{young:?}, {old:?}");
    let named = |item: &Item| match item {
        Item::Segment(segment) => segment.ids().collect(),
        Item::Extract(extract) => extract.open().unwrap().into_iter().map(|(id, _)| id).collect(),
        Item::Evict(_) | Item::Newer { .. } => Vec::new(),
    };
    let read: Vec<OpId> = after.items.iter().flat_map(named).collect();
    assert!(ops.iter().all(|op| read.contains(op)), "{ops:?} of {read:?}");
    assert!(desk.store.is_whole().unwrap());
    desk.transact(|desk| desk.store.documents_clear()).unwrap();
    desk.forget();
    let n_documents = before.documents.len() as u64;
    assert_eq!(desk.transact(|desk| desk.rebuild(true)).unwrap().differed, n_documents);
    assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0);
}

/// A headquarters on either engine, and a folder beside it.
fn on_both(law: impl Fn(&Path, &Data)) {
    for server in [None, Some(Cluster::shared().database())] {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(&folder.path().join("hq"));
        match &server {
            None => data.init("http://127.0.0.1:7400").unwrap(),
            Some(url) => data.init_at_server("http://127.0.0.1:7400", url).unwrap(),
        }
        law(folder.path(), &data);
    }
}

#[test]
fn an_archive_is_moved_to_a_server_with_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(folder.path());
    data.init("http://127.0.0.1:7400").unwrap();
    let ops = archived(&data);
    let before = whole(&mut data.open(false).unwrap());
    data.move_to_server(&Cluster::shared().database()).unwrap();
    is_whole(&mut data.open(false).unwrap(), &before, &ops);
}

#[test]
fn an_archive_is_in_the_backup_and_comes_back_out_of_it() {
    on_both(|folder, data| {
        let ops = archived(data);
        let before = whole(&mut data.open(false).unwrap());
        let file = folder.join("backup");
        data.back_up(&file).unwrap();
        let again = Data::at(&folder.join("again"));
        again.restore(&file, LATER_MS).unwrap();
        is_whole(&mut again.open(false).unwrap(), &before, &ops);
    });
}

#[test]
fn views_are_made_again_from_what_lies_in_the_archive_too() {
    on_both(|_, data| {
        let ops = archived(data);
        let mut desk = data.open(false).unwrap();
        let before = whole(&mut desk);
        is_whole(&mut desk, &before, &ops);
    });
}
