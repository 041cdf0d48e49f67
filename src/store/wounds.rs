//! Kills at unlucky moments, and damage to the one file that had the newest work.

use records::id::{DocId, Epoch, OpId, Replica};

use crate::clock::Now;
use crate::store::Store;
use crate::store::doctor::Fault;
use crate::store::testing::{NOW, copy_folder, create, home, lose_twin, note};
use crate::store::write::{NewOp, On};

fn unknown() -> On {
    On::Document(DocId(OpId { replica: Replica(9), epoch: Epoch(9), seq: 9 }))
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

fn texts(store: &Store) -> Vec<(usize, u64)> {
    let mut all = Vec::new();
    store
        .each(None, &mut |document| {
            all.push((document.ops.len(), document.created.ms));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    all
}

#[test]
fn saves_behind_a_flipped_bit_are_not_lost_and_no_name_is_used_twice() {
    let (dir, mut store) = home();
    let path = dir.path().join("journal").join("00000001.log");
    let length = || usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    store.save(vec![create(b"before")], NOW).unwrap();
    let hit = length() + 60;
    store.save(vec![create(b"lost")], NOW).unwrap();
    let local = Some([5; 16]);
    let behind = vec![NewOp { local, ..create(b"behind") }, note(On::CreatedBy(0), b"1")];
    let ids = store.save(behind, NOW).unwrap();
    store.save(vec![note(On::Document(DocId(ids[0])), b"2")], NOW).unwrap();
    let stamp = store.ops(DocId(ids[0])).unwrap()[2].row.stamp;
    drop(store);
    lose_twin(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[hit] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    for _ in 0..2 {
        let store = Store::open(dir.path(), NOW).unwrap();
        let found = store.imported(&[5; 16]).unwrap().unwrap();
        assert_ne!(found.0.epoch, ids[0].epoch);
        let ops = store.ops(found).unwrap();
        assert_eq!((ops.len(), ops[2].row.stamp), (3, stamp));
        assert_eq!(ops[0].row.forked_from, Some(ids[0]));
        assert_eq!(texts(&store).len(), 2);
        assert!(store.numbers_suspended());
        let faults = store.doctor().unwrap().faults;
        assert!(
            matches!(faults[..], [Fault::JournalGap { file: 1, .. }, Fault::OpsLost(_, 2, 2)]),
            "{faults:?}"
        );
        let heads = store.hello(NOW).unwrap().heads;
        assert_eq!(heads.iter().map(|head| head.seq).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(heads[1].parent.unwrap().seq, 1);
        store.unsent(usize::MAX, usize::MAX).unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    Store::rebuild(dir.path(), NOW).unwrap();
    assert_eq!(texts(&Store::open(dir.path(), NOW).unwrap()).len(), 2);
}

/// Of 200 turned bits in a journal 70 cost a save: what no checkpoint had reached stood in no other file.
#[test]
fn a_flipped_bit_in_the_journal_costs_nothing_while_its_twin_reads() {
    let (dir, mut store) = home();
    let journal = dir.path().join("journal");
    let (path, twin) = (journal.join("00000001.log"), journal.join("00000001.twin"));
    store.save(vec![create(b"before")], NOW).unwrap();
    store.checkpoint().unwrap();
    assert!(!twin.exists(), "what is durable elsewhere needs no second copy");
    let from = std::fs::metadata(&path).unwrap().len();
    for n in 0..3_u8 {
        store.save(vec![create(&[n])], NOW).unwrap();
        store.put_setting("n", vec![n]).unwrap();
    }
    let before = texts(&store);
    drop(store);
    let whole = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), whole.path());
    let bytes = std::fs::read(&path).unwrap();
    let behind = usize::try_from(from).unwrap();
    let damages = (behind..bytes.len()).step_by(37).flat_map(|at| {
        let (mut flipped, cut) = (bytes.clone(), bytes[..at].to_vec());
        flipped[at] ^= 4;
        [flipped, cut]
    });
    for damaged in damages {
        let home = tempfile::tempdir().unwrap();
        copy_folder(whole.path(), home.path());
        std::fs::write(home.path().join("journal").join("00000001.log"), &damaged).unwrap();
        let store = Store::open(home.path(), NOW).unwrap();
        assert_eq!(texts(&store), before);
        assert_eq!(store.setting("n").unwrap(), Some(vec![2]));
        assert_ne!(store.doctor().unwrap().faults, [], "it is told all the same");
        drop(store);
        let mut store = Store::open(home.path(), NOW).unwrap();
        store.save(vec![create(b"after")], NOW).unwrap();
        drop(store);
        assert_eq!(texts(&Store::open(home.path(), NOW).unwrap()).len(), before.len() + 1);
    }
}

#[test]
fn a_twin_that_is_damaged_or_of_another_time_changes_nothing() {
    let (dir, mut store) = home();
    let twin = dir.path().join("journal").join("00000001.twin");
    store.save(vec![create(b"x")], NOW).unwrap();
    let older = std::fs::read(&twin).unwrap();
    store.save(vec![create(b"y")], NOW).unwrap();
    drop(store);
    let mut flipped = std::fs::read(&twin).unwrap();
    flipped[40] ^= 1;
    for bytes in [older, flipped, vec![0; 9_000], b"nonsense".to_vec()] {
        std::fs::write(&twin, bytes).unwrap();
        let store = Store::open(dir.path(), NOW).unwrap();
        assert_eq!(texts(&store).len(), 2);
        assert_eq!(store.doctor().unwrap().faults, []);
        assert!(!store.numbers_suspended());
    }
}

#[test]
fn a_rebuild_still_sends_an_epoch_that_only_the_journal_saw_closed() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let boot = Now { boot: 8, ..NOW };
    let mut store = Store::open(dir.path(), boot).unwrap();
    store.save(vec![create(b"y")], boot).unwrap();
    assert_eq!(store.counts().unwrap().unsent_ops, 2);
    drop(store);
    Store::rebuild(dir.path(), boot).unwrap();
    let store = Store::open(dir.path(), boot).unwrap();
    assert_eq!(store.counts().unwrap().unsent_ops, 2);
}

#[test]
fn what_is_known_of_a_line_does_not_depend_on_what_is_kept_at_hand() {
    let (_dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    let boot = Now { boot: 8, ..NOW };
    store.opening = crate::store::epoch::Opening::Rebooted;
    store.save(vec![create(b"y")], boot).unwrap();
    store.lines.borrow_mut().clear();
    assert_eq!(store.counts().unwrap().unsent_ops, 2);
    assert!(store.hello(NOW).unwrap().heads[1].parent.is_some());
}

#[test]
fn a_damaged_last_save_costs_its_name_once() {
    let (dir, mut store) = home();
    store.save(vec![create(b"x")], NOW).unwrap();
    let lost = store.save(vec![create(b"y")], NOW).unwrap()[0];
    drop(store);
    lose_twin(dir.path());
    let path = dir.path().join("journal").join("00000001.log");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let saved: Vec<OpId> = (0..3)
        .map(|_| Store::open(dir.path(), NOW).unwrap().save(vec![create(b"z")], NOW).unwrap()[0])
        .collect();
    assert_ne!(saved[0].epoch, lost.epoch, "HQ may have the lost one under its name");
    assert!(saved.iter().all(|id| id.epoch == saved[0].epoch), "one new epoch is enough");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "what was acknowledged is never cut");
}

#[test]
fn a_head_that_reads_nowhere_costs_its_epoch_and_not_the_home() {
    let (dir, mut store) = home();
    let first = store.save(vec![create(b"x")], NOW).unwrap()[0];
    drop(store);
    for copy in ["head.a", "head.b"] {
        std::fs::write(dir.path().join(copy), b"nonsense").unwrap();
    }
    let mut store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(store.doctor().unwrap().faults, [Fault::Unreadable(crate::store::error::Part::Head)]);
    assert!(store.numbers_suspended(), "nothing else tells it from a copy");
    assert_ne!(store.save(vec![create(b"y")], NOW).unwrap()[0].epoch, first.epoch);
    drop(store);
    let store = Store::open(dir.path(), NOW).unwrap();
    assert!(store.numbers_suspended());
    assert_eq!(store.doctor().unwrap().faults, []);
    drop(store);
    // Lost with the database before anything was saved again, it still says that there was something.
    for copy in ["head.a", "head.b"] {
        std::fs::write(dir.path().join(copy), b"nonsense").unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    std::fs::write(dir.path().join("journal").join("00000001.log"), b"").unwrap();
    lose_twin(dir.path());
    assert!(matches!(Store::open(dir.path(), NOW), Err(crate::store::error::StoreError::Damaged { .. })));
}

#[test]
fn a_rebuild_killed_at_any_step_costs_nothing() {
    let (dir, mut store) = home();
    store.put_setting("next", b"1".to_vec()).unwrap();
    store.save(vec![create(b"x")], NOW).unwrap();
    let second = dir.path().join("journal").join("00000001.log");
    let at = std::fs::metadata(&second).unwrap().len();
    store.put_setting("next", b"2".to_vec()).unwrap();
    store.checkpoint().unwrap();
    drop(store);
    // Killed while it filled the new database: the old one is in its place.
    copy_folder_to(&dir.path().join("sled"), &dir.path().join("sled.part"));
    // And the last setting does not read in the journal any more: the old database knows better.
    let mut bytes = std::fs::read(&second).unwrap();
    bytes[usize::try_from(at).unwrap() + 40] ^= 1;
    std::fs::write(&second, &bytes).unwrap();
    Store::rebuild(dir.path(), NOW).unwrap();
    assert!(!dir.path().join("sled.part").exists() && !dir.path().join("sled.new").exists());
    // Killed between the two renames.
    std::fs::rename(dir.path().join("sled"), dir.path().join("sled.new")).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(store.setting("next").unwrap(), Some(b"2".to_vec()));
    assert_eq!(texts(&store).len(), 1);
}

fn copy_folder_to(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).unwrap();
    copy_folder(from, to);
}
