//! The same damage in the database of headquarters: whatever differs afterwards is told by `doctor` or by the opening.

use std::path::{Path, PathBuf};

use fieldbook_hq::data::Data;
use fieldbook_hq::store::StoreError;

use crate::flips::each_damage;
use crate::laid::Laid;
use crate::office::FOUNDED_MS;
use crate::scene::{Scene, work};
use crate::tally::{Came, seed};

/// What headquarters says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Says {
    /// What its documents say, and what each device should hold.
    records: Vec<String>,
    /// What follows from the records beside, and what stands in no log: devices' standing, what administrators did.
    rest: Vec<String>,
}

/// Asks a headquarters for everything, as `doctor` does; `None` where it says that something is damaged.
fn ask(folder: &Path) -> Option<Says> {
    let mut desk = Data::at(folder).open(false).ok()?;
    let mut looked = || -> Result<Option<Says>, StoreError> {
        let whole = desk.store.is_whole()?;
        let rebuilt = desk.transact(|desk| desk.rebuild(false))?;
        if !whole || rebuilt.differed > 0 {
            return Ok(None);
        }
        let (mut records, mut rest) = (Vec::new(), Vec::new());
        desk.store.each_document::<StoreError>(None, |branch, indexed| {
            let document = &indexed.document;
            records.push(format!("{branch} {:?} {:?}", document.id, document.digest()));
            rest.push(format!("{document:?} {:?}", indexed.people));
            Ok(())
        })?;
        let devices = desk.store.devices(None)?;
        for device in &devices {
            records.push(format!("{:?} {:?}", device.replica, desk.digest_for(device)?));
        }
        rest.extend(devices.iter().map(|device| format!("{device:?}")));
        rest.extend(desk.store.audit_lines(None, 1000)?.iter().map(|line| format!("{line:?}")));
        Ok(Some(Says { records, rest }))
    };
    looked().ok().flatten()
}

#[test]
fn in_the_database_of_headquarters() {
    let (folder, _kept) = Scene::set(seed("office"), 12).hq_at_rest();
    let laid = Laid::of(&folder);
    let truth = ask(&folder).expect("a whole headquarters");
    assert!(truth.records.len() > 20 && truth.rest.len() > 4, "{truth:?}");
    let files = laid.names(|name| name.starts_with("hq.sqlite"));
    let mut beside = 0;
    let bytes = |file: &PathBuf| laid.bytes(file).to_vec();
    each_damage("database of headquarters", 300, &files, bytes, |file, bytes| {
        laid.with(file, bytes).lay(&folder);
        match ask(&folder) {
            None => Ok(Came::Refused),
            Some(says) if says.records != truth.records => Err("a record is another one".into()),
            Some(says) => {
                beside += usize::from(says.rest != truth.rest);
                Ok(Came::Harmless)
            }
        }
    });
    println!("\nnot seen, in what no record says: {beside}");
}

/// A check that saw nothing would see nothing either where a document is gone.
#[test]
fn a_headquarters_that_says_otherwise_is_seen() {
    let (folder, _kept) = Scene::set(seed("office control"), 2).hq_at_rest();
    let truth = ask(&folder).expect("a whole headquarters");
    let mut desk = Data::at(&folder).open(false).expect("a whole headquarters");
    let kind = records::kinds::by_name("customer").expect("a kind");
    let done = desk.transact(|desk| desk.import("code,name,kind\nC9,Acme,company\n".as_bytes(), kind, 1));
    assert_eq!(done.expect("an import").added, 1);
    drop(desk);
    let says = ask(&folder).expect("a whole headquarters");
    assert_ne!(says.records, truth.records);
}

/// Opens a headquarters that lies as `left` says, and returns how many ops it holds; `None` where it does not open.
fn opened(folder: &Path, left: &Laid) -> Option<u64> {
    left.lay(folder);
    Data::at(folder).open(false).ok()?.store.ops().ok()
}

/// A write-ahead log that was left by a kill and does not read from some place on takes back what was committed behind
/// it, as an earlier image of the disk does: the device's next work brings it again.
#[test]
fn in_the_log_of_a_headquarters_that_was_killed() {
    let scene = Scene::set(seed("office log"), 4);
    let (folder, elsewhere) = (scene.folder().join("hq"), scene.folder().join("killed"));
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a whole home");
    scene.sync(&mut store).expect("a sync");
    // What came before is in the database itself.
    scene.hq.borrow_mut().restart();
    for n in 100..104 {
        work(&mut store, n);
        scene.sync(&mut store).expect("a sync");
    }
    drop(store);
    let (home, left) = (Laid::of(&scene.home()), Laid::of(&folder));
    let known = opened(&elsewhere, &left).expect("a whole headquarters");
    let goes_on = |restored: bool| {
        Laid::of(&elsewhere).lay(&folder);
        scene.hq.borrow_mut().restart();
        if restored {
            let backup = scene.folder().join("backup");
            scene.hq.borrow().back_up(&backup);
            scene.hq.borrow_mut().restore(&backup, FOUNDED_MS + 20_000_000);
        }
        home.lay(&scene.home());
        let mut store = scene.open().expect("a whole home");
        work(&mut store, 200);
        let mut same = None;
        for _ in 0..4 {
            same = scene.sync(&mut store).expect("a sync").digest_equal;
        }
        (scene.hq.borrow().run(|desk| desk.store.ops().expect("a whole headquarters")), same)
    };
    let truth = goes_on(false);
    assert!(truth.0 > known && truth.1 == Some(true), "{truth:?}, {known} before");
    let files = left.names(|name| name.ends_with("-wal"));
    let bytes = |file: &PathBuf| left.bytes(file).to_vec();
    each_damage("log of headquarters", 24, &files, bytes, |file, bytes| {
        match opened(&elsewhere, &left.with(file, bytes.clone())) {
            None => return Ok(Came::Refused),
            Some(ops) if ops == known => return Ok(Came::Harmless),
            Some(_) => {}
        }
        // Its work comes again by itself; what was ruled on twice reads otherwise, and each sync says so.
        let found = goes_on(false);
        if found.0 != truth.0 {
            return Err(format!("{found:?}, not {truth:?}"));
        }
        // With a new history nothing is ruled on twice.
        opened(&elsewhere, &left.with(file, bytes));
        let found = goes_on(true);
        if found == truth { Ok(Came::Repaired) } else { Err(format!("restored: {found:?}, not {truth:?}")) }
    });
}
