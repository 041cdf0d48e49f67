//! From SQLite to PostgreSQL, and a backup of either.

use fieldbook_hq::data::{Data, DataError};
use fieldbook_hq::store::address::Server;
use fieldbook_hq::store::{Store, StoreError};

use crate::cluster::Cluster;
use crate::server;

const NOW_MS: u64 = 1_795_300_000_000;
const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";

/// A headquarters with some records, in a folder.
fn made(folder: &std::path::Path) -> Data {
    let data = Data::at(folder);
    data.init("http://127.0.0.1:7400").unwrap();
    import(&data);
    data
}

fn import(data: &Data) {
    let mut desk = data.open(false).unwrap();
    let kind = records::kinds::by_name("org").unwrap();
    let done = desk.transact(|desk| desk.import(ORG.as_bytes(), kind, NOW_MS)).unwrap();
    assert_eq!((done.added, done.refused.len()), (3, 0));
}

fn documents(data: &Data) -> Vec<String> {
    let desk = data.open(false).unwrap();
    let mut all = Vec::new();
    let each = |branch, indexed| -> Result<(), StoreError> {
        all.push(format!("{branch} {indexed:?}"));
        Ok(())
    };
    desk.store.each_document(None, each).unwrap();
    all
}

#[test]
fn a_moved_headquarters_holds_what_it_held_and_goes_on_at_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = made(folder.path());
    let url = Cluster::shared().database();
    let before = documents(&data);
    let busy = data.open(false).unwrap();
    assert!(matches!(data.move_to_server(&url), Err(DataError::Store(error)) if error.is_busy()));
    drop(busy);
    let copied = data.move_to_server(&url).unwrap();
    assert_eq!(copied.documents, 3);
    assert_eq!(data.server(), Some(url.clone()));
    assert_eq!(documents(&data), before);
    assert!(!folder.path().join("hq.sqlite").exists() && folder.path().join("hq.sqlite-moved").exists());
    assert!(matches!(data.move_to_server(&url), Err(DataError::Moved)));
    assert!(matches!(data.init("http://127.0.0.1:7400"), Err(DataError::Exists)));
    let mut desk = data.open(false).unwrap();
    assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0);
}

#[test]
fn a_move_that_was_cut_off_is_begun_again_and_a_server_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = made(folder.path());
    let url = Cluster::shared().database();
    // Killed before anything was committed: tables without rows.
    drop(Store::create(server(&url)).unwrap());
    data.move_to_server(&url).unwrap();
    // Killed before the folder knew.
    std::fs::remove_file(folder.path().join("database")).unwrap();
    std::fs::rename(folder.path().join("hq.sqlite-moved"), folder.path().join("hq.sqlite")).unwrap();
    data.move_to_server(&url).unwrap();
    let other = tempfile::tempdir().unwrap();
    let refused = made(other.path()).move_to_server(&url);
    assert!(matches!(refused, Err(DataError::Store(StoreError::Made))), "{refused:?}");
    assert_eq!(documents(&Data::at(other.path())).len(), 3, "it is as it was");
}

#[test]
fn a_backup_of_a_server_is_read_back_as_a_headquarters() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(&folder.path().join("at a server"));
    data.init_at_server("http://127.0.0.1:7400", &Cluster::shared().database()).unwrap();
    import(&data);
    let file = folder.path().join("backup");
    data.back_up(&file).unwrap();
    assert!(data.open(false).unwrap().store.backup_order().unwrap().is_some(), "devices may let go");
    let again = Data::at(&folder.path().join("again"));
    again.restore(&file, NOW_MS).unwrap();
    assert_eq!(documents(&again), documents(&data));
    assert!(again.open(false).unwrap().store.is_whole().unwrap());
}

#[test]
fn an_address_with_a_password_is_told_from_one_without() {
    assert!(Server::has_password("postgres://hq:secret@db/field"));
    assert!(!Server::has_password(&Cluster::shared().database()));
}
