//! A device with everything that a home can hold, and its headquarters: the scene of the faults.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use fieldbook::clock::{Clock, Now};
use fieldbook::notebook::add::{self, Add};
use fieldbook::notebook::attach::Given;
use fieldbook::notebook::create::{self, Create};
use fieldbook::notebook::find::Wanted;
use fieldbook::notebook::pair::Pair;
use fieldbook::notebook::refusal::NotebookError;
use fieldbook::notebook::seal::{self, Seal, Signed};
use fieldbook::notebook::set::{self, Set};
use fieldbook::store::Store;
use fieldbook::store::error::StoreError;
use fieldbook::sync::report::SyncReport;
use fieldbook::sync::{self, Options, SyncError};
use fieldbook::transport::{Transport, TransportError};
use records::id::{DocId, Replica};
use records::kinds::repair;
use records::time::Ts;
use records::value::text::Lang;

use crate::laid::Laid;
use crate::office::{FOUNDED_MS, Headquarters};
use crate::truth::Truth;

/// When the faults happen: some hours after the founding.
pub(crate) const NOW: Now = Now {
    wall: Ts(FOUNDED_MS.cast_signed() + 20_000_000),
    monotonic_ms: 20_000_000,
    boot: 1,
    test_clock: false,
};

/// Syncs after which headquarters begins a new day.
const SYNCS_A_DAY: u32 = 16;

/// A company with one device that is looked at closely.
pub(crate) struct Scene {
    pub(crate) hq: RefCell<Headquarters>,
    folder: tempfile::TempDir,
    /// The home of the device, whole.
    pub(crate) whole: Laid,
    /// What it says.
    pub(crate) truth: Truth,
    /// What it says once it has synced.
    pub(crate) synced: Truth,
    /// What its lists are asked for.
    pub(crate) names: Vec<String>,
    pub(crate) replica: Replica,
    syncs: Cell<u32>,
}

impl Scene {
    /// Sets the scene: so many records of the device's own and half as many of a colleague's.
    pub(crate) fn set(seed: u64, records: u32) -> Self {
        let folder = crate::memory::folder();
        let hq = Headquarters::found(&folder.path().join("hq"), seed);
        crate::dice::begin(seed);
        let now_ms = FOUNDED_MS + 1000;
        let (li, wang) = (hq.code("T101", now_ms), hq.code("S101", now_ms));
        let replica = wang.replica;
        let mut scene = Self {
            hq: RefCell::new(hq),
            whole: Laid(std::collections::BTreeMap::new()),
            truth: Truth::default(),
            synced: Truth::default(),
            names: Vec::new(),
            replica,
            syncs: Cell::new(0),
            folder,
        };
        let mut li = Store::create(&scene.folder.path().join("li"), &li, NOW).expect("a new home");
        for n in 0..records / 2 {
            work(&mut li, n);
        }
        scene.sync(&mut li).expect("a sync");
        drop(li);
        let home = scene.home();
        let mut store = Store::create(&home, &wang, NOW).expect("a new home");
        scene.sync(&mut store).expect("a sync");
        for n in 0..records {
            work(&mut store, n);
            if n == records / 3 {
                scene.sync(&mut store).expect("a sync");
            }
            if n == records / 2 {
                photo(&mut store, n);
                store.checkpoint().expect("a checkpoint");
            }
        }
        store.put_setting("colour", b"blue".to_vec()).expect("a setting");
        drop(store);
        scene.whole = Laid::of(&home);
        let store = scene.open().expect("a whole home");
        scene.names = names(&store);
        scene.truth = Truth::of(&store, &scene.names).expect("a whole home");
        drop(store);
        scene.whole.lay(&home);
        let mut store = scene.open().expect("a whole home");
        scene.sync(&mut store).expect("a sync");
        scene.synced = Truth::of(&store, &scene.names).expect("a whole home");
        drop(store);
        scene
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends headquarters; returns its folder, in which nothing is open any more, and what keeps it there.
    pub(crate) fn hq_at_rest(self) -> (PathBuf, tempfile::TempDir) {
        drop(self.hq);
        (self.folder.path().join("hq"), self.folder)
    }

    pub(crate) fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.home(), NOW)
    }

    /// Reads everything.
    ///
    /// # Errors
    /// What a command would have ended with.
    pub(crate) fn read(&self, store: &Store) -> Result<Truth, StoreError> {
        Truth::of(store, &self.names)
    }

    /// Syncs by a line without faults.
    pub(crate) fn sync(&self, store: &mut Store) -> Result<SyncReport, SyncError> {
        // No device syncs a thousand times on one day: headquarters would ask it to come again tomorrow.
        self.syncs.set(self.syncs.get() + 1);
        if self.syncs.get().is_multiple_of(SYNCS_A_DAY) {
            self.hq.borrow_mut().restart();
        }
        let hears = |body: &[u8]| {
            let heard = self.hq.borrow().hears(body, &[], true, FOUNDED_MS + 20_000_000);
            heard.ok().flatten().ok_or(TransportError::Status(400))
        };
        let options = Options { retries: 0, wait_ms: 0, ..Options::default() };
        let clock = Clock::frozen(NOW.wall);
        sync::sync_by(Transport::by(Box::new(hears)), store, &clock, options, &mut |_| {})
    }
}

/// Returns a value of each kind by which records are looked for.
fn names(store: &Store) -> Vec<String> {
    let mut names = vec!["colour".to_owned(), "N-3".to_owned()];
    store
        .each(None, &mut |document| {
            names.push(document.id.code());
            let number = fieldbook_hq::reading::text(&document, "sheet_no");
            names.extend(Some(number).filter(|number| !number.is_empty()));
            std::ops::ControlFlow::Continue(())
        })
        .expect("a whole home");
    names
}

fn pairs(texts: &[&str]) -> Vec<Pair> {
    texts.iter().filter_map(|text| Pair::parse(text)).collect()
}

/// Records one visit: a sheet, a note, a changed value; every third one is sealed.
pub(crate) fn work(store: &mut Store, n: u32) -> DocId {
    let problem = format!("problem=异响 {n}");
    let texts = [
        problem.as_str(),
        "customer=Acme",
        "product=Pump",
        "result=done",
        "arrived=2026-09-21 08:00",
        "left=2026-09-21 09:00",
    ];
    let request = Create { kind: &repair::REPAIR, job: None, pairs: pairs(&texts), entries: Vec::new() };
    let id = create::create(store, &request, NOW).expect("a sheet").id;
    let record = id.to_string();
    let add = Add {
        record: record.clone(),
        wanted: Wanted::Any,
        list: "note".into(),
        words: vec![format!("N-{n}")],
        files: Vec::new(),
    };
    add::add(store, &add, NOW).expect("a note");
    let change = Set {
        record: record.clone(),
        wanted: Wanted::Any,
        pairs: pairs(&["work_done=换密封圈，试运行正常"]),
    };
    set::set(store, &change, NOW).expect("a value");
    if n.is_multiple_of(3) {
        let signed = Signed::Not("absent".to_owned());
        seal::seal(store, &Seal { record, signed, lang: Lang::En }, NOW).expect("a sealed sheet");
    }
    id
}

/// Attaches a file to a sheet of its own.
pub(crate) fn photo(store: &mut Store, n: u32) {
    photo_at(store, n).expect("a photo");
}

/// The same, where it may be refused.
///
/// # Errors
/// Those of saving and attaching.
pub(crate) fn photo_at(store: &mut Store, n: u32) -> Result<(), NotebookError> {
    let request =
        Create { kind: &repair::REPAIR, job: None, pairs: pairs(&["problem=照片"]), entries: Vec::new() };
    let id = create::create(store, &request, NOW)?.id;
    let mut bytes = n.to_le_bytes().repeat(45_000);
    bytes.extend_from_slice(b"no picture");
    let file = Given::Bytes { name: "photo.bin".into(), bytes };
    let add = Add {
        record: id.to_string(),
        wanted: Wanted::Any,
        list: "photo".into(),
        words: Vec::new(),
        files: vec![("file".into(), file)],
    };
    add::add(store, &add, NOW).map(|_| ())
}
