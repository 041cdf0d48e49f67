//! Turned bits, lost pages and cut files in everything that is kept: each is detected, harmless or repaired.

use std::path::{Path, PathBuf};

use fieldbook::bundle;
use fieldbook::store::Store;
use fieldbook::store::error::StoreError;
use fieldbook_hq::data::Data;

use crate::dice::Dice;
use crate::office::FOUNDED_MS;
use crate::scene::{NOW, Scene};
use crate::tally::{Came, Tally, rounds, seed};

/// Records of the device that is looked at.
const RECORDS: u32 = 12;

/// What happens to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Bit,
    Page,
    Cut,
}

/// Each kind with its name, and of how many bits one of it is tried.
const DAMAGES: [(Damage, &str, u32); 3] =
    [(Damage::Bit, "a bit turned", 1), (Damage::Page, "a page lost", 4), (Damage::Cut, "cut off", 4)];

/// Returns a file with the damage somewhere in it, and where that is.
fn damaged(bytes: &[u8], damage: Damage, dice: &mut Dice) -> (Vec<u8>, usize) {
    let mut bytes = bytes.to_vec();
    let at = dice.below(bytes.len());
    match damage {
        Damage::Bit => bytes[at] ^= 1 << dice.below(8),
        Damage::Page => {
            let from = at / 4096 * 4096;
            let to = (from + 4096).min(bytes.len());
            bytes[from..to].fill(0);
        }
        Damage::Cut => bytes.truncate(at),
    }
    (bytes, at)
}

/// Damages one of `files` at a time and asks `look` what came of it.
pub(crate) fn each_damage(
    what: &str,
    bits: u32,
    files: &[PathBuf],
    bytes: impl Fn(&PathBuf) -> Vec<u8>,
    mut look: impl FnMut(&PathBuf, Vec<u8>) -> Result<Came, String>,
) {
    assert!(!files.is_empty(), "nothing of {what}");
    let mut dice = Dice::of(seed(what));
    let mut wrong = Vec::new();
    for (damage, way, one_of) in DAMAGES {
        let mut tally = Tally::default();
        for round in 0..rounds(bits / one_of) {
            let file = &files[dice.below(files.len())];
            let whole = bytes(file);
            let (bytes, at) = damaged(&whole, damage, &mut dice);
            // A page of zeros may be one already.
            let came = if bytes == whole { Ok(Came::Harmless) } else { look(file, bytes) };
            match came {
                Ok(came) => tally.note(came),
                Err(why) => wrong.push(format!("round {round}, {way} in {} at {at}: {why}", file.display())),
            }
        }
        tally.print(&format!("{what}: {way}"));
    }
    assert!(wrong.is_empty(), "{} times:\n{}", wrong.len(), wrong.join("\n"));
}

/// Opens, reads and mends a home that was damaged, as a person would, and says what came of it.
///
/// # Errors
/// Where something differs from the truth and nobody said so.
fn look(scene: &Scene) -> Result<Came, String> {
    match read(scene)? {
        Read::Well => return Ok(Came::Harmless),
        Read::Told => return Ok(Came::Repaired),
        Read::Damaged => {}
    }
    let rebuilt = Store::rebuild(&scene.home(), NOW).map_err(|error| format!("rebuild: {error}"))?;
    let mut store = scene.open().map_err(|error| format!("after a rebuild it opens with {error}"))?;
    let found = scene.read(&store).map_err(|error| format!("after a rebuild it reads with {error}"))?;
    let lost = scene.truth.lost_in(&found, scene.replica);
    if !lost.is_empty() && rebuilt.look.is_empty() {
        return Err(format!("the rebuild's report does not say that it lost {lost:?}"));
    }
    for _ in 0..2 {
        scene.sync(&mut store).map_err(|error| format!("after a rebuild it syncs with {error}"))?;
    }
    let found = scene.read(&store).map_err(|error| format!("after a sync it reads with {error}"))?;
    if lost.is_empty() && found.written_again(&scene.synced) {
        // Behind a hole: headquarters heard of those saves in another run, and so this one has them twice.
        let lost = scene.synced.lost_in(&found, scene.replica).is_empty();
        return if lost { Ok(Came::Repaired) } else { Err("a save that was written again is lost".into()) };
    }
    match scene.synced.difference(&found) {
        // What is in the home stands in two of its files, or at headquarters too: one damaged file costs nothing.
        _ if !lost.is_empty() => Err(format!("lost for good: {lost:?}")),
        None => Ok(Came::Repaired),
        Some(what) => Err(format!("after rebuild and sync: {what}; {:?}", rebuilt.look)),
    }
}

/// How a damaged home reads.
enum Read {
    /// As it always did.
    Well,
    /// As it always did, and `doctor` names the damage.
    Told,
    /// Not as it did, and it was said.
    Damaged,
}

fn read(scene: &Scene) -> Result<Read, String> {
    let store = match scene.open() {
        Ok(store) => store,
        Err(StoreError::Damaged { .. }) => return Ok(Read::Damaged),
        Err(other) => return Err(format!("it opens with {other}")),
    };
    let difference = match scene.read(&store) {
        Ok(found) => scene.truth.difference(&found),
        Err(StoreError::Damaged { .. }) => return Ok(Read::Damaged),
        Err(other) => return Err(format!("it reads with {other}")),
    };
    let faults = match store.doctor() {
        Ok(found) => found.faults,
        Err(StoreError::Damaged { .. }) => return Ok(Read::Damaged),
        Err(other) => return Err(format!("doctor ends with {other}")),
    };
    match difference {
        None if faults.is_empty() => Ok(Read::Well),
        None => Ok(Read::Told),
        Some(what) if faults.is_empty() => Err(format!("doctor says nothing: {what}")),
        Some(_) => Ok(Read::Damaged),
    }
}

/// Damages the files of a home that `picks` says.
fn in_home(what: &str, bits: u32, picks: impl Fn(&str) -> bool) {
    let scene = Scene::set(seed(what), RECORDS);
    let files = scene.whole.names(picks);
    let bytes = |file: &PathBuf| scene.whole.bytes(file).to_vec();
    each_damage(what, bits, &files, bytes, |file, bytes| {
        scene.whole.with(file, bytes).lay(&scene.home());
        look(&scene)
    });
}

#[test]
fn in_the_database() {
    in_home("database", 300, |name| name.starts_with("sled/"));
}

#[test]
fn in_the_journal() {
    in_home("journal", 100, |name| name.ends_with(".log"));
    in_home("the journal's twin", 60, |name| name.ends_with(".twin"));
    in_home("the journal's witness", 60, |name| name == "journal/last");
}

#[test]
fn in_head_and_keys() {
    in_home("head and id", 300, |name| name.starts_with("head") || name.starts_with("id/"));
}

#[test]
fn in_attachments() {
    in_home("attachments", 160, |name| name.starts_with("blobs/"));
}

/// Damages a file that one program writes and another one reads: it is refused whole.
fn in_file(what: &str, bits: u32, whole: &[u8], mut takes: impl FnMut(&Path) -> bool) {
    let folder = crate::memory::folder();
    let file = folder.path().join("file");
    let files = [file.clone()];
    each_damage(
        what,
        bits,
        &files,
        |_| whole.to_vec(),
        |file, bytes| {
            std::fs::write(file, bytes).expect("room in memory");
            if takes(file) { Err("it was taken".into()) } else { Ok(Came::Refused) }
        },
    );
    std::fs::write(&file, whole).expect("room in memory");
    assert!(takes(&file), "whole, it is refused too");
}

#[test]
fn in_bundles_and_their_receipts() {
    let scene = Scene::set(seed("bundles"), RECORDS);
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a whole home");
    crate::scene::work(&mut store, 99);
    let (bundle, receipt) = (scene.folder().join("bundle"), scene.folder().join("receipt"));
    bundle::work::write(&mut store, NOW, &bundle).expect("a bundle");
    let whole = std::fs::read(&bundle).expect("a file");
    in_file("bundles", 600, &whole, |file| {
        scene.hq.borrow().reads(file, &receipt, FOUNDED_MS + 20_000_000).is_ok()
    });
    let whole = std::fs::read(&receipt).expect("a file");
    in_file("receipts", 400, &whole, |file| bundle::receipt::read(&mut store, NOW, file).is_ok());
}

#[test]
fn in_backups() {
    let scene = Scene::set(seed("backups"), RECORDS);
    scene.whole.lay(&scene.home());
    let backup = scene.folder().join("backup");
    fieldbook::backup::back_up(&scene.home(), &backup, NOW).expect("a backup");
    let whole = std::fs::read(&backup).expect("a file");
    in_file("backups of a home", 100, &whole, |file| {
        let folder = crate::memory::folder();
        fieldbook::backup::restore(folder.path(), file, NOW).is_ok()
    });
    scene.hq.borrow().back_up(&backup.with_extension("hq"));
    let whole = std::fs::read(backup.with_extension("hq")).expect("a file");
    in_file("backups of headquarters", 100, &whole, |file| {
        let folder = crate::memory::folder();
        Data::at(&folder.path().join("hq")).restore(file, FOUNDED_MS).is_ok()
    });
}

/// A check that saw nothing would see nothing either where a home forgets what was written into it.
#[test]
fn a_home_that_is_silently_wrong_is_seen() {
    let scene = Scene::set(seed("control"), RECORDS);
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a whole home");
    crate::scene::work(&mut store, 99);
    drop(store);
    assert!(
        read(&scene).is_err_and(|why| why.starts_with("doctor says nothing")),
        "another record was not seen"
    );
}
