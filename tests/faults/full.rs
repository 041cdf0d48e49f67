//! A full disk at each step: what does not fit is refused whole, nothing that was saved is lost, and with room again it is
//! done.

use std::path::Path;

use fieldbook::backup::BackupError;
use fieldbook::bundle::BundleFault;
use fieldbook::clock::Clock;
use fieldbook::notebook::refusal::NotebookError;
use fieldbook::notebook::seal::{self, Seal, Signed};
use fieldbook::store::Store;
use fieldbook::store::error::StoreError;
use fieldbook::sync::SyncError;
use records::value::text::Lang;

use crate::company::{Company, LI};
use crate::laid::Laid;
use crate::mounts::Disk;
use crate::scene::{NOW, Scene, photo_at, work};
use crate::tally::{Came, Tally};
use crate::victim::try_record;

/// Bytes that others left free, from nothing up to what one step more takes.
const LEFT: [u64; 6] = [0, 4 << 10, 64 << 10, 300 << 10, 1100 << 10, 3 << 20];
/// Room for a home with a photo.
const DISK_MIB: u32 = 112;

/// What came of a step.
#[derive(Debug)]
enum Step {
    Done,
    /// For want of room.
    Refused,
    Wrong(String),
}

impl<T> From<Result<T, StoreError>> for Step {
    fn from(done: Result<T, StoreError>) -> Self {
        match done {
            Ok(_) => Self::Done,
            Err(StoreError::NoSpace { .. }) => Self::Refused,
            Err(other) => Self::Wrong(other.to_string()),
        }
    }
}

impl<T> From<Result<T, NotebookError>> for Step {
    fn from(done: Result<T, NotebookError>) -> Self {
        match done {
            Err(NotebookError::Store(error)) => Err::<T, _>(error).into(),
            Err(other) => Self::Wrong(other.to_string()),
            Ok(_) => Self::Done,
        }
    }
}

impl<T> From<Result<T, SyncError>> for Step {
    fn from(done: Result<T, SyncError>) -> Self {
        match done {
            Err(SyncError::Store(error)) => Err::<T, _>(error).into(),
            Err(other) => Self::Wrong(other.to_string()),
            Ok(_) => Self::Done,
        }
    }
}

/// Does a step on disks of every fullness, with the home's reserve and when that is gone, and once more with room.
fn each(what: &str, step: impl Fn(&Scene, Store) -> Step) {
    let scene = Scene::set(9, 6);
    let Some(disk) = Disk::over(&scene.home(), DISK_MIB) else { return };
    let mut tally = Tally::default();
    let mut without_reserve = scene.whole.clone();
    without_reserve.0.remove(Path::new("reserve.bin"));
    let homes = [&scene.whole, &without_reserve];
    for (whole, left) in homes.into_iter().flat_map(|whole| LEFT.map(|left| (whole, left))) {
        whole.lay(&scene.home());
        let ballast = disk.fill(left, "ballast");
        let refused = match scene.open().map(|store| step(&scene, store)) {
            Ok(Step::Done) => false,
            Ok(Step::Refused) | Err(StoreError::NoSpace { .. }) => true,
            Ok(Step::Wrong(why)) => panic!("{what} with {left} bytes left: {why}"),
            Err(error) => panic!("{what} with {left} bytes left: it opens with {error}"),
        };
        std::fs::remove_file(ballast).expect("our own ballast");
        let store = scene.open().unwrap_or_else(|error| panic!("{what}, {left} bytes left before: {error}"));
        let found = scene.read(&store).expect("a whole home");
        assert_eq!(scene.truth.lost_in(&found, scene.replica), [], "{what} with {left} bytes left");
        assert_eq!(store.doctor().expect("a doctor").faults, [], "{what} with {left} bytes left");
        let again = if refused { step(&scene, store) } else { Step::Done };
        assert!(matches!(again, Step::Done), "{what} with room again: {again:?}");
        tally.note(if refused { Came::Refused } else { Came::Harmless });
    }
    assert!(tally.refused > 0, "{what}: no disk was too full for it");
    tally.print(&format!("full disk: {what}"));
}

#[test]
fn at_a_save() {
    each("a save", |_, mut store| try_record(&mut store, "full", NOW).into());
}

#[test]
fn at_a_seal() {
    // A seal is a small save of what is there: it is given the reserve.
    let scene = Scene::set(9, 6);
    let Some(disk) = Disk::over(&scene.home(), DISK_MIB) else { return };
    scene.whole.lay(&scene.home());
    let mut store = scene.open().expect("a whole home");
    let record = work(&mut store, 1).to_string();
    let _ballast = disk.fill(64 << 10, "ballast");
    let request = Seal { record, signed: Signed::Not("absent".to_owned()), lang: Lang::En };
    let sealed = seal::seal(&mut store, &request, NOW).expect("the reserve is for this");
    drop(store);
    let store = scene.open().expect("a whole home");
    assert_eq!(store.numbered(&sealed.number).expect("a whole home").len(), 1);
    assert_eq!(store.doctor().expect("a doctor").faults, []);
}

#[test]
fn at_a_photo() {
    each("a photo", |_, mut store| photo_at(&mut store, 7).into());
}

#[test]
fn at_a_sync() {
    each("a sync", |scene, mut store| scene.sync(&mut store).into());
}

#[test]
fn at_a_checkpoint() {
    each("a checkpoint", |_, mut store| match try_record(&mut store, "full", NOW) {
        Ok(()) => store.checkpoint().into(),
        refused => refused.into(),
    });
}

#[test]
fn at_a_backup() {
    each("a backup", |scene, store| {
        drop(store);
        let file = scene.home().join("backup");
        let done = fieldbook::backup::back_up(&scene.home(), &file, NOW);
        assert_eq!(done.is_ok(), file.exists(), "a name stands for a whole file");
        drop(std::fs::remove_file(&file));
        match done {
            // Of the file itself: the disk that it goes to need not be the home's.
            Err(BackupError::Store(StoreError::Io { path, source, .. }))
                if path == file && source.kind() == std::io::ErrorKind::StorageFull =>
            {
                Step::Refused
            }
            Err(BackupError::Store(error)) => Err::<(), _>(error).into(),
            done => Ok::<_, StoreError>(done.expect("a backup")).into(),
        }
    });
}

#[test]
fn at_a_bundle() {
    each("a bundle", |scene, mut store| {
        let file = scene.home().join("bundle");
        let done = fieldbook::bundle::work::write(&mut store, NOW, &file);
        assert!(done.is_ok() == file.exists(), "a name stands for a whole file");
        match done {
            Err(BundleFault::Store(error)) => Err::<(), _>(error).into(),
            Err(other) => Step::Wrong(other.to_string()),
            Ok(_) => Step::Done,
        }
    });
}

#[test]
fn at_a_rebuild() {
    each("a rebuild", |scene, store| {
        drop(store);
        Store::rebuild(&scene.home(), NOW).into()
    });
}

/// Headquarters' disk is full: it says that it could not keep it, and takes it when there is room.
#[test]
fn at_headquarters() {
    let mut company = Company::found();
    let device = company.device(LI);
    device.sync();
    company.hq.kill();
    let folder = company.hq.folder();
    let laid = Laid::of(&folder);
    let Some(disk) = Disk::over(&folder, 24) else { return };
    laid.lay(&folder);
    company.hq.serve();
    let ballast = disk.fill(16 << 10, "ballast");
    let status = refusal(&company, device.home());
    assert!(status.is_none_or(|status| matches!(status, 503 | 507)), "{status:?}");
    let refused = device.run(["--json", "sync"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    let unsent = device.status()["unsent_ops"].as_u64().expect("a number");
    assert!(unsent > 0, "it took what it could not keep");
    std::fs::remove_file(ballast).expect("our own ballast");
    assert_eq!(device.sync()["level"], true);
    company.is_level_with(&[&device]);
    let mut tally = Tally::default();
    tally.note(Came::Refused);
    tally.print("full disk: headquarters' intake");
}

/// Records as much as headquarters has no room for, syncs, and returns the status of its answer.
fn refusal(_company: &Company, home: &Path) -> Option<u16> {
    let clock = Clock::system();
    let mut store = Store::open(home, clock.now()).expect("a home that opens");
    for n in 0..60 {
        let noise: String = (0..40).map(|at| format!("{:x}", (n * 40 + at) * 2_654_435_761_u64)).collect();
        try_record(&mut store, &noise, clock.now()).expect("a record");
    }
    let options = fieldbook::sync::Options { retries: 0, wait_ms: 0, ..Default::default() };
    match fieldbook::sync::sync(&mut store, &clock, options, &mut |_| {}) {
        Err(SyncError::Transport(fieldbook::transport::TransportError::Status(status))) => Some(status),
        _ => None,
    }
}
