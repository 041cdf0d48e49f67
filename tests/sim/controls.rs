//! What the simulator's checks are worth: after a quiet run something is broken by hand, and the check must see it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fieldbook_hq::store::StoreError;
use fieldbook_hq::store::documents::Card;
use records::id::DocId;
use records::kinds::number;
use sync_protocol::cursor::Feed;

use crate::world::World;

/// A world after a run in which somebody's device is still at work and headquarters never came from a backup, and that
/// device's place.
fn quiet() -> (World, usize) {
    for seed in 1..100 {
        let mut world = World::of(seed);
        world.run();
        world.check();
        let at_work = |device: &crate::device::Device| !device.dead && !device.revoked && !device.stranded;
        let restored = world.hq.borrow().run(|desk| desk.store.restored_from().expect("a history").is_some());
        if let Some(at) = world.devices.iter().position(at_work).filter(|_| !restored) {
            return (world, at);
        }
    }
    panic!("no seed leaves a device");
}

/// Asserts that something panics with a sentence that holds `words`.
#[track_caller]
fn is_seen(what: impl FnOnce(), words: &str) {
    let panicked = catch_unwind(AssertUnwindSafe(what)).expect_err("it went unseen");
    let said = panicked.downcast_ref::<String>().cloned();
    let said = said.or_else(|| panicked.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
    assert!(said.contains(words), "it was seen for another reason: {said}");
}

/// Returns the company's own record.
fn company(world: &World) -> DocId {
    world.hq.borrow().run(|desk| {
        let mut found = None;
        let each = desk.store.each_document(Some(number::ORG), |_, indexed| {
            found.get_or_insert(indexed.document.id);
            Ok::<(), StoreError>(())
        });
        each.expect("documents");
        found.expect("a company")
    })
}

#[test]
fn a_feed_that_goes_on_behind_a_device_is_seen() {
    let (mut world, _) = quiet();
    let doc = company(&world);
    world.hq.borrow().run(move |desk| {
        let ops = desk.history(doc).expect("a history");
        desk.feed_history(0, Feed::Company, ops.iter()).expect("a feed");
    });
    is_seen(|| world.check(), "its cursor of Company");
}

#[test]
fn a_document_that_differs_under_the_same_digest_is_seen() {
    let (mut world, _) = quiet();
    let doc = company(&world);
    world.hq.borrow().run(move |desk| {
        let mut rows = Vec::new();
        let each = desk.store.each_document(Some(number::ORG), |branch, indexed| {
            rows.push((branch, indexed));
            Ok::<(), StoreError>(())
        });
        each.expect("documents");
        let (branch, mut indexed) =
            rows.into_iter().find(|(_, indexed)| indexed.document.id == doc).expect("a row");
        indexed.document.ops.pop();
        let card = Card { branch, indexed, before: None, arrival: 0 };
        desk.store.documents_put(&[card]).expect("a row");
    });
    is_seen(|| world.check(), "at headquarters it is");
}

#[test]
fn a_device_that_cannot_sync_on_a_fair_line_is_seen() {
    let (mut world, at) = quiet();
    let replica = world.devices[at].replica;
    world.hq.borrow().run(move |desk| {
        let mut device = desk.store.device(replica).expect("a row").expect("a device");
        (device.key, device.secret) = (None, None);
        desk.store.device_put(&device).expect("a row");
    });
    is_seen(|| world.calm(), "on a fair line");
}

#[test]
fn an_op_that_does_not_say_what_was_written_is_seen() {
    let (mut world, _) = quiet();
    let written = |one: &&mut crate::said::Said| one.mark.is_some() && !one.forgiven;
    world.said.iter_mut().find(written).expect("something that somebody wrote").mark = Some(999_999);
    is_seen(|| world.check(), "does not say what was written");
}
