//! Kills at unlucky moments, and damage to the one file that had the newest work.

use records::id::{DocId, Epoch, OpId, Replica};

use crate::clock::Now;
use crate::store::Store;
use crate::store::testing::{NOW, copy_folder, create, home, note};
use crate::store::write::On;

fn unknown() -> On {
    On::Document(DocId(OpId {
        replica: Replica(9),
        epoch: Epoch(9),
        seq: 9,
    }))
}

#[test]
fn a_first_save_that_was_refused_leaves_a_home_that_opens() {
    let (dir, mut store) = home();
    assert!(store.save(vec![note(unknown(), b"x")], NOW).is_err());
    drop(store);
    let mut store = Store::open(dir.path(), NOW).unwrap();
    store.save(vec![create(b"x")], NOW).unwrap();
    assert!(!store.numbers_suspended());
}

#[test]
fn a_copy_waits_for_its_numbers_however_often_it_is_opened() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), copy.path());
    let open = |boot| Store::open(copy.path(), Now { boot, ..NOW }).unwrap();
    assert!(open(7).save(vec![note(unknown(), b"x")], NOW).is_err());
    assert!(open(7).numbers_suspended(), "nothing was saved: still a copy");
    open(7).save(vec![create(b"y")], NOW).unwrap();
    assert!(open(7).numbers_suspended(), "saved, and no checkpoint yet");
    let boot = Now { boot: 8, ..NOW };
    open(8).save(vec![create(b"z")], boot).unwrap();
    assert!(open(8).numbers_suspended(), "a boot does not settle it");
}
