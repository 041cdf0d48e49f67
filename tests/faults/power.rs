//! Power cuts: what was acknowledged is there afterwards, whatever had not been synced.
//!
//! On a real file system a copy of the disk's bytes is taken between two steps: what nobody synced is not in it.
//! Beside that, torn ends and pages that reached the disk out of order are modelled; docs/FAULTS.md says how.

use std::io::Write;
use std::path::Path;

use fieldbook::clock::Now;
use fieldbook::store::Store;

use crate::dice::Dice;
use crate::laid::Laid;
use crate::mounted::Powered;
use crate::scene::{NOW, Scene};
use crate::tally::{Came, Tally, rounds, seed};
use crate::victim::record_at;

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// Opens a home after a power cut and names the marks that are not there once.
fn missing(home: &Path, told: &[String]) -> Vec<String> {
    let store = match Store::open(home, Now { boot: 9, ..NOW }) {
        Ok(store) => store,
        Err(error) => return vec![format!("it opens with {error}")],
    };
    let found = crate::kills::marks(&store);
    let mut missing: Vec<String> = told.iter().filter(|mark| found.get(*mark) != Some(&1)).cloned().collect();
    missing.extend(store.doctor().expect("a doctor").faults.iter().map(|fault| format!("{fault:?}")));
    missing
}

/// Makes the home of the scene's device below a folder.
fn home_below(folder: &Path, scene: &Scene) -> std::path::PathBuf {
    let home = folder.join("home");
    let code = scene.hq.borrow().code("T102", crate::office::FOUNDED_MS);
    drop(Store::create(&home, &code, NOW).expect("a new home"));
    home
}

#[test]
fn on_a_real_file_system() {
    let Some(disk) = Powered::on() else { return };
    let scene = Scene::set(seed("power"), 2);
    // Photos ask for more room than there is to be on a disk that is copied so often.
    fieldbook::simulated::set_free_bytes(Some(1 << 30));
    let home = home_below(disk.path(), &scene);
    let (mut dice, mut tally, mut told) = (Dice::of(seed("power")), Tally::default(), Vec::new());
    let mut store = Some(Store::open(&home, NOW).expect("a home that opens"));
    for round in 0..rounds(100) {
        for n in 0..=dice.below(3) {
            let open = store.as_mut().expect("an open home");
            match dice.below(12) {
                0 => open.checkpoint().expect("a checkpoint"),
                1 => drop(scene.sync(open).expect("a sync")),
                2 => crate::scene::photo(open, round),
                3 => {
                    drop(store.take());
                    store = Some(Store::open(&home, NOW).expect("a home that opens"));
                }
                4 => {
                    drop(store.take());
                    Store::rebuild(&home, NOW).expect("a rebuild");
                    std::fs::remove_dir_all(home.join("quarantine")).expect("a folder of the test");
                    store = Some(Store::open(&home, NOW).expect("a home that opens"));
                }
                _ => {
                    let mark = format!("{round}.{n}");
                    record_at(open, &mark, NOW);
                    told.push(mark);
                }
            }
        }
        let after = disk.cut();
        assert_eq!(missing(&after.path().join("home"), &told), [""; 0], "round {round}");
        tally.note(Came::Harmless);
    }
    assert!(told.len() > 50);
    tally.print("power cuts, ext4");
}

/// A database that is asked to flush, and nothing else, is caught on the same disk.
#[test]
fn the_bare_flush_of_the_database_is_no_sync() {
    let Some(disk) = Powered::on() else { return };
    let config = |at: &Path| sled::Config::new().path(at.join("db")).flush_every_ms(None);
    let db = config(disk.path()).open().expect("a database");
    for n in 0..50_u32 {
        db.insert(n.to_be_bytes(), vec![7; 100]).expect("room");
        db.flush().expect("a flush");
    }
    let after = disk.cut();
    let held = std::panic::catch_unwind(|| {
        let db = config(after.path()).open().ok()?;
        Some((0..50_u32).filter(|n| db.get(n.to_be_bytes()).is_ok_and(|value| value.is_some())).count())
    });
    assert_ne!(held.ok().flatten(), Some(50), "it was as good as a sync");
}

/// A name that was given without a sync of its folder is caught, too.
#[test]
fn a_rename_without_a_sync_of_its_folder_is_gone() {
    let Some(disk) = Powered::on() else { return };
    let (temp, named) = (disk.path().join("temp"), disk.path().join("named"));
    let written = std::fs::File::create(&temp).and_then(|mut file| {
        file.write_all(b"x")?;
        file.sync_all()?;
        std::fs::rename(&temp, &named)
    });
    written.expect("room");
    assert!(!disk.cut().path().join("named").exists());
    fieldbook::home::sync_folder(disk.path()).expect("a sync");
    assert!(disk.cut().path().join("named").exists(), "with the sync it is there");
}

/// And so is a line that was acknowledged before it was synced.
#[test]
fn a_write_that_was_acknowledged_too_soon_is_gone() {
    let Some(disk) = Powered::on() else { return };
    let mut file = std::fs::File::create(disk.path().join("log")).expect("room");
    file.sync_all().expect("a sync");
    file.write_all(b"saved").expect("room");
    let read = || std::fs::read(disk.cut().path().join("log")).expect("a file");
    assert_eq!(read(), b"");
    file.sync_data().expect("a sync");
    assert_eq!(read(), b"saved", "with the sync it is there");
}

/// One moment: what is durable for certain, and what was on its way.
struct Moment {
    /// The database at its last checkpoint.
    durable: Laid,
    /// Everything, as the program had handed it over.
    handed: Laid,
    /// How long each journal file was when the last save was acknowledged.
    acknowledged: Laid,
}

/// Returns the home that a power cut at that moment may leave.
fn torn(moment: &Moment, dice: &mut Dice) -> Laid {
    let mut left = moment.handed.clone();
    left.0.retain(|name, _| !name.starts_with("sled"));
    let in_database = moment.durable.0.iter().filter(|(name, _)| name.starts_with("sled"));
    left.0.extend(in_database.map(|(name, bytes)| (name.clone(), bytes.clone())));
    // Pages of the database that were written since: each may have reached the disk, or a part of it.
    for name in moment.handed.names(|name| name.starts_with("sled/")) {
        let (old, new) = (moment.durable.bytes(&name), moment.handed.bytes(&name));
        let known = moment.durable.0.contains_key(&name);
        if known || dice.chance(50) {
            left.0.insert(name.clone(), Some(mixed(old, new, dice)));
        }
    }
    // The end of the journal behind what was acknowledged: any beginning of it, whole, zeros or the bytes of another file.
    for name in moment.handed.names(|name| name.ends_with(".log")) {
        let safe = moment.acknowledged.bytes(&name).len();
        let mut bytes = moment.handed.bytes(&name).to_vec();
        let kept = (safe + dice.below(bytes.len() - safe + 1)) / SECTOR * SECTOR;
        match dice.below(4) {
            0 => bytes.truncate(safe.max(kept)),
            1 => bytes[safe.max(kept)..].fill(0),
            2 => bytes.truncate(safe + dice.below(bytes.len() - safe + 1)),
            _ => {}
        }
        left.0.insert(name, Some(bytes));
    }
    // The twin is written behind the sync of a save and never synced itself: any part of what was acknowledged is in it.
    left.0.retain(|name, _| name.extension().is_none_or(|extension| extension != "twin"));
    for name in moment.acknowledged.names(|name| name.ends_with(".twin")) {
        let mut bytes = moment.acknowledged.bytes(&name).to_vec();
        bytes.truncate(dice.below(2 * bytes.len() + 1));
        left.0.insert(name, Some(bytes));
    }
    // The witness is written behind the sync of a save and never synced itself: it says less than the journal.
    let witness = std::path::PathBuf::from("journal/last");
    let older = [&moment.durable, &moment.acknowledged][dice.below(2)].bytes(&witness);
    let kept = if dice.chance(30) { dice.below(older.len()) } else { older.len() };
    left.0.insert(witness, Some(older[..kept].to_vec()));
    left
}

/// Returns a file of which each page is the old or the new one, one of them torn in the middle, and the end may lack.
fn mixed(old: &[u8], new: &[u8], dice: &mut Dice) -> Vec<u8> {
    let (reached, torn_page) = (dice.below(100), dice.below(new.len() / PAGE + 1));
    let mut bytes = new.to_vec();
    for (number, page) in bytes.chunks_mut(PAGE).enumerate() {
        let from = number * PAGE;
        let was = |at: usize| old.get(from + at).copied().unwrap_or(0);
        let keep = if dice.chance(reached) { page.len() } else { 0 };
        let keep = if number == torn_page { dice.below(page.len() / SECTOR + 1) * SECTOR } else { keep };
        for (at, byte) in page.iter_mut().enumerate().skip(keep) {
            *byte = was(at);
        }
    }
    if new.len() > old.len() && dice.chance(30) {
        bytes.truncate(old.len() + dice.below(new.len() - old.len() + 1));
    }
    bytes
}

/// Lives through one stretch of work and returns a moment in it, with what was acknowledged by then.
fn live(scene: &Scene, dice: &mut Dice) -> (Moment, Vec<String>) {
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a home that opens");
    let mut told = Vec::new();
    for n in 0..dice.below(6) {
        told.push(format!("before {n}"));
        record_at(&mut store, &told[n], NOW);
    }
    store.checkpoint().expect("a checkpoint");
    let durable = Laid::of(&scene.home());
    for n in 0..dice.below(8) {
        let mark = format!("after {n}");
        record_at(&mut store, &mark, NOW);
        told.push(mark);
    }
    let acknowledged = Laid::of(&scene.home());
    // On its way, and not acknowledged.
    record_at(&mut store, "on its way", NOW);
    if dice.chance(50) {
        store.checkpoint().expect("a checkpoint");
    }
    let handed = Laid::of(&scene.home());
    (Moment { durable, handed, acknowledged }, told)
}

#[test]
fn with_torn_pages() {
    let scene = Scene::set(seed("torn"), 4);
    let (mut dice, mut tally) = (Dice::of(seed("torn")), Tally::default());
    for round in 0..rounds(80) {
        let (moment, told) = live(&scene, &mut dice);
        for cut in 0..5 {
            torn(&moment, &mut dice).lay(&scene.home());
            assert_eq!(missing(&scene.home(), &told), [""; 0], "round {round}, cut {cut}");
            tally.note(Came::Harmless);
        }
    }
    tally.print("power cuts, torn pages");
}

/// A journal that is cut in what was acknowledged is caught, and so is one that does not resynchronise.
#[test]
fn the_check_catches_a_journal_that_was_not_synced() {
    let scene = Scene::set(seed("not synced"), 4);
    let mut dice = Dice::of(seed("not synced"));
    let (moment, told) = loop {
        let (moment, told) = live(&scene, &mut dice);
        if told.last().is_some_and(|mark| mark.starts_with("after")) {
            break (moment, told);
        }
    };
    let name = Path::new("journal/00000001.log");
    let mut never = moment.durable.clone();
    never.0.insert(name.to_owned(), Some(moment.durable.bytes(name).to_vec()));
    never.lay(&scene.home());
    assert_ne!(missing(&scene.home(), &told), [""; 0], "nobody saw that the last saves are gone");
}
