//! What would be wrong without a cure, shown to the checks that have to see it.

use std::path::{Path, PathBuf};

use fieldbook::clock::Now;
use fieldbook::store::Store;
use fieldbook_hq::data::Data;

use crate::dice::Dice;
use crate::kills::remembers;
use crate::laid::Laid;
use crate::scene::{NOW, Scene};
use crate::tally::seed;

const JOURNAL: &str = "journal/00000001.log";
const TWIN: &str = "journal/00000001.twin";

/// Turns a bit in the first save that no checkpoint reached, with the twin or without, and returns how many ops are lost.
fn lost(scene: &Scene, keeps_twin: bool) -> usize {
    let twin = scene.whole.bytes(Path::new(TWIN));
    let first = twin.iter().position(|byte| *byte != 0).expect("saves behind the checkpoint");
    let mut bytes = scene.whole.bytes(Path::new(JOURNAL)).to_vec();
    bytes[first + 60] ^= 1;
    let mut left = scene.whole.with(Path::new(JOURNAL), bytes);
    if !keeps_twin {
        left.0.remove(Path::new(TWIN));
    }
    left.lay(&scene.home());
    let store = Store::open(&scene.home(), Now { boot: 9, ..NOW }).expect("a home that opens");
    let found = scene.read(&store).expect("a home that reads");
    scene.truth.lost_in(&found, scene.replica).len()
}

/// With the twin nothing is lost; without it that save; without resynchronisation every save behind it, too.
#[test]
fn a_journal_without_its_twin_or_without_resynchronisation_is_caught() {
    let scene = Scene::set(seed("resync"), 12);
    assert_eq!(lost(&scene, true), 0);
    let one_save = lost(&scene, false);
    fieldbook::simulated::set_stops_at_damage(true);
    let all_behind = lost(&scene, false);
    fieldbook::simulated::set_stops_at_damage(false);
    assert!(one_save > 0, "the twin is no cure, for nothing was ill");
    assert!(all_behind > one_save, "{all_behind} lost, {one_save} with resynchronisation");
}

/// Returns how many ops headquarters holds that was killed when its folder was as `left` says.
fn held_after(scene: &Scene, left: &Laid) -> u64 {
    let elsewhere = scene.folder().join("killed");
    left.lay(&elsewhere);
    let desk = Data::at(&elsewhere).open(false).expect("a whole headquarters");
    desk.store.ops().expect("a whole headquarters")
}

/// Headquarters that answers before its commit and is killed between the two holds less than it acknowledged.
#[test]
fn headquarters_that_answers_before_its_commit_is_caught() {
    let scene = Scene::set(seed("too soon"), 4);
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a whole home");
    scene.sync(&mut store).expect("a sync");
    let folder = scene.folder().join("hq");
    // Nobody speaks to it: what is in its folder is what a kill leaves.
    let before = Laid::of(&folder);
    let known = held_after(&scene, &before);
    crate::scene::work(&mut store, 99);
    let sent = scene.sync(&mut store).expect("a sync").sent_ops;
    let acknowledged = known + sent;
    let after = Laid::of(&folder);
    assert!(sent > 0 && remembers(held_after(&scene, &after), acknowledged), "in earnest it holds them");
    assert!(!remembers(held_after(&scene, &before), acknowledged), "nobody saw that it forgot");
}

/// The database alone, with values that nobody sealed: of turned bits some change what it says, and it says nothing.
#[test]
fn values_that_are_not_sealed_are_silently_wrong() {
    let folder = crate::memory::folder();
    let path: PathBuf = folder.path().join("db");
    let open = || sled::Config::new().path(&path).flush_every_ms(None).open();
    let db = open().expect("a database");
    let value = |n: u32| format!("customer {n}, 1234.50").repeat(8).into_bytes();
    for n in 0..200_u32 {
        db.insert(n.to_be_bytes(), value(n)).expect("room");
    }
    db.flush().expect("a flush");
    drop(db);
    let whole = Laid::of(&path);
    let files = whole.names(|name| name == "db");
    let mut dice = Dice::of(seed("unsealed"));
    let mut silent = 0;
    for _ in 0..40 {
        let mut bytes = whole.bytes(&files[0]).to_vec();
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
        whole.with(&files[0], bytes).lay(&path);
        let says = std::panic::catch_unwind(|| {
            let db = open().ok()?;
            let all: Option<Vec<_>> = (0..200_u32).map(|n| db.get(n.to_be_bytes()).ok()).collect();
            all
        });
        let Ok(Some(found)) = says else { continue };
        let right = found.iter().zip(0..).all(|(found, n)| found.as_deref() == Some(value(n).as_slice()));
        silent += u32::from(!right);
    }
    assert!(silent > 0, "it said each time that something is damaged: the seals would not be needed");
}
