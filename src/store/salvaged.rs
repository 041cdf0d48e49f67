//! What damage costs, who says so, and what a rebuild and the next answer of HQ bring back.

use records::id::OpId;

use crate::keys::Access;
use crate::store::Store;
use crate::store::doctor::Fault;
use crate::store::error::Part;
use crate::store::look::Why;
use crate::store::testing::{NOW, answer, copy_folder, create, home, lose_twin};

#[test]
fn a_journal_that_lost_its_end_is_told_and_none_of_its_names_is_used_twice() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    let path = dir.path().join("journal").join("00000001.log");
    let whole = std::fs::metadata(&path).unwrap().len();
    let lost = store.save(vec![create(b"y"), create(b"z")], NOW).unwrap()[0];
    drop(store);
    lose_twin(dir.path());
    // Cut between two frames: nothing in the file says that there was more.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(whole).unwrap();
    let mut store = Store::open(dir.path(), NOW).unwrap();
    let told = |store: &Store| store.doctor().unwrap().faults;
    assert!(
        matches!(told(&store)[..], [Fault::OpsLost(_, 2, 3), Fault::JournalCut(_)]),
        "{:?}",
        told(&store)
    );
    assert!(store.numbers_suspended(), "nobody knows which numbers were given");
    let next = store.save(vec![create(b"a")], NOW).unwrap()[0];
    assert_ne!(next.epoch, lost.epoch, "HQ may have the lost one under its name");
    assert_eq!(told(&store).len(), 2, "still told after a save");
    drop(store);
    let look = Store::rebuild(dir.path(), NOW).unwrap().look;
    let whys: Vec<Why> = look.iter().map(|look| look.why).collect();
    assert!(matches!(whys[..], [Why::OpsLost { first: 2, last: 3, .. }, Why::JournalCut(_)]), "{whys:?}");
    assert_eq!(Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults, []);
}

#[test]
fn a_journal_that_is_as_long_as_it_was_says_nothing() {
    let (dir, mut store) = home();
    for _ in 0..3 {
        store.save(vec![create(b"x")], NOW).unwrap();
        store.put_setting("a", b"1".to_vec()).unwrap();
        drop(store);
        store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(store.doctor().unwrap().faults, []);
    }
    drop(store);
    // A witness that a power cut tore, or took back.
    for bytes in [&b"nonsense"[..], &[]] {
        std::fs::write(dir.path().join("journal").join("last"), bytes).unwrap();
        assert_eq!(Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults, []);
    }
}

#[test]
fn a_database_that_went_back_behind_an_answer_is_told_until_the_next_one() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    store.checkpoint().unwrap();
    let before = tempfile::tempdir().unwrap();
    copy_folder(&dir.path().join("sled"), before.path());
    let (said, proof) = answer(&[], Vec::new(), Vec::new(), 1);
    store.apply(&said, &proof, NOW).unwrap();
    drop(store);
    assert_eq!(Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults, []);
    let sled = dir.path().join("sled");
    std::fs::remove_dir_all(&sled).unwrap();
    std::fs::create_dir(&sled).unwrap();
    copy_folder(before.path(), &sled);
    let mut store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(store.doctor().unwrap().faults, [Fault::AnswersLost(1)]);
    store.apply(&said, &proof, NOW).unwrap();
    assert_eq!(store.doctor().unwrap().faults, []);
}

#[test]
fn a_rebuild_writes_lost_copies_anew_and_sets_damaged_files_aside() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    let put = crate::blobs::Blobs::of(&store).put(&mut &b"a paper"[..]).unwrap();
    drop(store);
    let hex = records::hex::of(&put.hash.0);
    let blob = dir.path().join("blobs").join(&hex[..2]).join(&hex);
    for path in [dir.path().join("head.a"), dir.path().join("id").join("identity.b"), blob.clone()] {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[9] ^= 4;
        std::fs::write(&path, bytes).unwrap();
    }
    let faults = Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults;
    assert!(
        matches!(faults[..], [Fault::CopyLost(_), Fault::CopyLost(_), Fault::BlobDamaged(_)]),
        "{faults:?}"
    );
    let look = Store::rebuild(dir.path(), NOW).unwrap().look;
    assert!(
        matches!(look.iter().map(|look| look.why).collect::<Vec<_>>()[..], [Why::FileDamaged(_)]),
        "{look:?}"
    );
    assert!(!blob.exists() && dir.path().join("quarantine").join("blobs").join(hex).exists());
    assert_eq!(Store::open(dir.path(), NOW).unwrap().doctor().unwrap().faults, []);
}

#[test]
fn a_rebuild_names_each_record_of_which_an_op_reads_nowhere() {
    let (dir, mut store) = home();
    let lost: OpId = store.save(vec![create(b"x")], NOW).unwrap()[0];
    let kept = store.save(vec![create(b"y")], NOW).unwrap()[0];
    store.checkpoint().unwrap();
    // The run of the first one does not read in the database, and its frame not in the journal.
    let mut work = store.work();
    let key = crate::store::run::RunKey { line: (lost.replica, lost.epoch), last: lost.seq, first: lost.seq };
    work.change.put(crate::store::database::Tree::Log, &key.to_bytes(), b"nonsense".to_vec());
    store.commit(work).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let path = dir.path().join("journal").join("00000001.log");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let rebuilt = Store::rebuild(dir.path(), NOW).unwrap();
    let gone = rebuilt.look.iter().find(|look| look.why == Why::Gone);
    assert_eq!(gone.and_then(|look| look.doc).map(|doc| doc.0), Some(lost), "{:?}", rebuilt.look);
    assert!(rebuilt.look.iter().any(|look| matches!(look.why, Why::OpsLost { first: 1, last: 1, .. })));
    assert!(!rebuilt.look.iter().any(|look| look.doc.is_some_and(|doc| doc.0 == kept)));
}

#[test]
fn a_home_that_does_not_open_still_says_what_is_safe() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x"), create(b"y")], NOW).unwrap();
    store.checkpoint().unwrap();
    store.save(vec![create(b"z")], NOW).unwrap();
    drop(store);
    let before = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), before.path());
    let findings = Store::examine_closed(dir.path(), Access::Plain, NOW).unwrap();
    let safe = findings.safe;
    assert_eq!((safe.in_journal, safe.in_log, safe.in_either, findings.counts.documents), (3, 2, 3, 2));
    assert_eq!(findings.faults, [Fault::Unreadable(Part::Database)]);
    let journal =
        |folder: &std::path::Path| std::fs::read(folder.join("journal").join("00000001.log")).unwrap();
    assert_eq!(journal(dir.path()), journal(before.path()), "it changed what it looked at");
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let safe = Store::examine_closed(dir.path(), Access::Plain, NOW).unwrap().safe;
    assert_eq!((safe.in_journal, safe.in_log, safe.in_either), (3, 0, 3));
}
