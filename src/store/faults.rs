//! What happens to a home, and what must be left of it: each fault with a check that would fail without the cure.

use std::collections::BTreeMap;

use proptest::prelude::*;
use records::id::{DocId, Epoch};
use sync_protocol::merge::Document;

use crate::clock::Now;
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::doctor::Fault;
use crate::store::error::{Part, StoreError};
use crate::store::testing::{NOW, copy_folder, create, enrolment, home, note};
use crate::store::write::On;

fn documents(store: &Store) -> Vec<Document> {
    let mut all = Vec::new();
    store
        .each(None, &mut |document| {
            all.push(document);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    all
}

/// Every key and value, decrypted.
fn contents(store: &Store) -> BTreeMap<(Tree, Vec<u8>), Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for tree in Tree::ALL {
        store
            .keys_from(tree, &[], &mut |key| {
                let value = if tree == Tree::Index { None } else { store.get(tree, key)? };
                all.insert((tree, key.to_vec()), value);
                Ok(true)
            })
            .unwrap();
    }
    all
}

fn filled(n: u32) -> (tempfile::TempDir, Store) {
    let (dir, mut store) = home();
    for i in 0..n {
        let id = store.save(vec![create(&i.to_le_bytes())], NOW).unwrap()[0];
        store.save(vec![note(On::Document(DocId(id)), b"seen")], NOW).unwrap();
    }
    (dir, store)
}

fn epochs(store: &Store) -> usize {
    let all = documents(store);
    all.iter()
        .flat_map(|document| &document.ops)
        .map(|op| op.epoch)
        .collect::<std::collections::BTreeSet<Epoch>>()
        .len()
}

#[test]
fn a_kill_loses_nothing_and_is_no_copy() {
    let (dir, store) = filled(150);
    let before = documents(&store);
    drop(store);
    let mut store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(documents(&store), before);
    store.save(vec![create(b"after")], NOW).unwrap();
    assert_eq!(epochs(&store), 1);
    assert!(!store.numbers_suspended());
    assert_eq!(store.doctor().unwrap().faults, []);
}

#[test]
fn a_boot_opens_an_epoch_that_hangs_from_the_last_and_a_copy_waits_for_its_numbers() {
    let (dir, store) = filled(3);
    drop(store);
    let mut store = Store::open(dir.path(), Now { boot: 8, ..NOW }).unwrap();
    store.save(vec![create(b"after")], Now { boot: 8, ..NOW }).unwrap();
    assert_eq!(epochs(&store), 2);
    assert!(!store.numbers_suspended());
    let heads = store.hello(NOW).unwrap().heads;
    assert_eq!(heads[1].parent.unwrap().epoch, heads[0].epoch);
    assert_eq!(heads[1].parent.unwrap().seq, heads[0].seq);
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), copy.path());
    let mut store = Store::open(copy.path(), Now { boot: 8, ..NOW }).unwrap();
    store.save(vec![create(b"copied")], Now { boot: 8, ..NOW }).unwrap();
    assert_eq!(epochs(&store), 3);
    assert!(store.numbers_suspended());
    assert_eq!(store.doctor().unwrap().faults, []);
}

/// Seed 1153 of the simulator: both homes gave the number 001.
#[test]
fn a_home_copied_before_its_first_save_waits_for_its_numbers() {
    let (dir, store) = home();
    drop(store);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), copy.path());
    assert!(Store::open(copy.path(), NOW).unwrap().numbers_suspended());
    assert!(!Store::open(dir.path(), NOW).unwrap().numbers_suspended());
}

#[test]
fn the_whole_database_may_vanish() {
    let (dir, store) = filled(100);
    let before = documents(&store);
    drop(store);
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(documents(&store), before);
    assert_eq!(store.doctor().unwrap().faults, []);
}

#[test]
fn the_whole_journal_may_vanish_after_a_checkpoint() {
    let (dir, mut store) = filled(100);
    let before = documents(&store);
    store.checkpoint().unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.path().join("journal")).unwrap();
    std::fs::create_dir(dir.path().join("journal")).unwrap();
    let mut store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(documents(&store), before);
    store.save(vec![create(b"after")], NOW).unwrap();
    assert_eq!(epochs(&store), 2, "the journal is behind: a new name");
}

#[test]
fn a_rebuild_gives_equal_keys_and_values() {
    let (dir, mut store) = filled(90);
    store.put_setting("next", b"7".to_vec()).unwrap();
    store.save((0..70_u32).map(|i| create(&i.to_le_bytes())).collect(), NOW).unwrap();
    store.checkpoint().unwrap();
    let before = contents(&store);
    drop(store);
    let rebuilt = Store::rebuild(dir.path(), NOW).unwrap();
    assert_eq!((rebuilt.ops, rebuilt.documents, rebuilt.unreadable), (250, 160, 0));
    assert!(rebuilt.set_aside.unwrap().is_dir());
    let store = Store::open(dir.path(), NOW).unwrap();
    let after = contents(&store);
    let differing: Vec<_> = before.iter().filter(|(key, value)| after.get(*key) != Some(*value)).collect();
    assert_eq!(differing, []);
    assert_eq!(before.len(), after.len());
    assert_eq!(store.doctor().unwrap().faults, []);
}

#[test]
fn a_damaged_journal_is_told_and_the_database_has_it_all() {
    let (dir, mut store) = filled(20);
    store.checkpoint().unwrap();
    let before = documents(&store);
    drop(store);
    let path = dir.path().join("journal").join("00000001.log");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap();
    assert_eq!(documents(&store), before);
    let findings = store.doctor().unwrap();
    assert!(matches!(findings.faults[..], [Fault::JournalGap { file: 1, .. }]));
    assert_eq!((findings.safe.in_journal, findings.safe.in_log, findings.safe.in_either), (39, 40, 40));
    drop(store);
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let store = Store::open(dir.path(), NOW).unwrap();
    assert_ne!(documents(&store), before, "without the database the op is gone: the check above can fail");
}

#[test]
fn a_second_opening_waits_and_names_the_first() {
    let (dir, _store) = filled(1);
    let refused = Store::open(dir.path(), NOW);
    assert!(matches!(refused, Err(StoreError::InUse { pid }) if pid == std::process::id()));
}

#[test]
fn a_home_that_is_none_and_one_that_is_already() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::NotEnrolled { .. })));
    Store::create(dir.path(), &enrolment(), NOW).unwrap();
    let again = Store::create(dir.path(), &enrolment(), NOW);
    assert!(matches!(again, Err(StoreError::AlreadyEnrolled { .. })));
}

#[test]
fn an_enrolment_that_was_killed_can_be_done_again_but_not_over_saved_work() {
    let dir = tempfile::tempdir().unwrap();
    let id = dir.path().join("id");
    std::fs::create_dir_all(&id).unwrap();
    crate::keys::Keys::create(&id).unwrap();
    let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
    store.save(vec![create(b"1")], NOW).unwrap();
    drop(store);
    for name in ["identity.a", "identity.b"] {
        std::fs::remove_file(id.join(name)).unwrap();
    }
    let again = Store::create(dir.path(), &enrolment(), NOW);
    assert!(matches!(again, Err(StoreError::AlreadyEnrolled { .. })));
}

#[test]
fn both_copies_of_a_key_gone_is_damage_and_not_a_new_home() {
    let (dir, store) = filled(1);
    drop(store);
    for name in ["key.a", "key.b"] {
        std::fs::write(dir.path().join("id").join(name), b"x").unwrap();
    }
    assert!(matches!(Store::open(dir.path(), NOW), Err(StoreError::Damaged { part: Part::Keys, .. })));
}

/// One step of a random day.
#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Note(usize),
    Reopen(u32),
    Checkpoint,
    Rebuild,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..4_usize).prop_map(Step::Create),
        6 => (0..50_usize).prop_map(Step::Note),
        1 => (7..9_u32).prop_map(Step::Reopen),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Rebuild),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_happens_every_saved_op_is_in_its_document(steps in prop::collection::vec(step(), 1..40)) {
        let (dir, store) = home();
        let (mut store, mut now) = (Some(store), NOW);
        let mut saved: BTreeMap<DocId, usize> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Create(n) => {
                    let ids = store.as_mut().unwrap().save(vec![create(b"x"); n], now).unwrap();
                    saved.extend(ids.into_iter().map(|id| (DocId(id), 1)));
                }
                Step::Note(at) => {
                    let doc = saved.keys().nth(at % saved.len().max(1)).copied();
                    if let Some(doc) = doc {
                        store.as_mut().unwrap().save(vec![note(On::Document(doc), b"y")], now).unwrap();
                        *saved.get_mut(&doc).unwrap() += 1;
                    }
                }
                Step::Reopen(boot) => {
                    drop(store.take());
                    now.boot = boot;
                    store = Some(Store::open(dir.path(), now).unwrap());
                }
                Step::Checkpoint => store.as_mut().unwrap().checkpoint().unwrap(),
                Step::Rebuild => {
                    drop(store.take());
                    Store::rebuild(dir.path(), now).unwrap();
                    store = Some(Store::open(dir.path(), now).unwrap());
                }
            }
        }
        let store = store.unwrap();
        let found: BTreeMap<DocId, usize> = documents(&store).iter().map(|doc| (doc.id, doc.ops.len())).collect();
        prop_assert_eq!(found, saved);
        prop_assert_eq!(store.doctor().unwrap().faults, vec![]);
    }
}
