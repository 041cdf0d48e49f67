//! Others' bundles on their way through this device: what is sealed to HQ goes with the next sync, and the answers
//! become a receipt for whoever wrote it.
//!
//! ```text
//! relay/<folder>/about          whose it is, and the hashes of its parcels in order; written last
//! relay/<folder>/<hash>.parcel  sealed to HQ, until HQ has answered
//! relay/<folder>/<hash>.answer  sealed to the author; empty where HQ could make nothing of the parcel
//! relay/<folder>.fbr            the receipt, once every parcel has its answer
//! ```
//!
//! The folder is named after all that `about` says: a bundle that only has another one's name does not displace it.
//!
//! Source: docs/PROTOCOL.md, Bundles; docs/STORAGE.md, The home.

use std::io;
use std::path::{Path, PathBuf};

use records::id::Replica;
use serde::{Deserialize, Serialize};
use sync_protocol::asides::Ask;
use sync_protocol::bundle::{BundleId, BundleKind, For, Header, Part, Relayed, Writer};
use sync_protocol::chain::sha256;
use sync_protocol::limits::RELAY_BYTES_MAX;

use crate::bundle::{BundleFault, NewFile, walk};
use crate::clock::Now;
use crate::keys::random;
use crate::store::Store;
use crate::store::error::StoreError;

/// Parcels in one request, at most: their answers come in one answer.
const PARCELS_MAX: usize = 8;

/// A bundle that is carried for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    id: BundleId,
    author: Replica,
    /// The hashes of the parcels, in order.
    parcels: Vec<[u8; 32]>,
}

/// What was taken along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The bundle.
    pub id: BundleId,
    /// Who wrote it.
    pub author: Replica,
    /// Parcels for HQ in it.
    pub parcels: usize,
}

/// A bundle that is or was carried for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The bundle.
    pub id: BundleId,
    /// Who wrote it.
    pub author: Replica,
    /// Parcels that HQ did not answer yet; 0 with a receipt.
    pub waiting: usize,
    /// Where the receipt lies.
    pub receipt: Option<PathBuf>,
}

/// Takes along what a bundle holds for HQ; the bundle itself is not needed afterwards.
///
/// # Errors
/// [`BundleFault`]; nothing is kept of a file that is damaged, is this device's own or holds nothing for HQ.
pub fn keep(store: &Store, path: &Path) -> Result<Kept, BundleFault> {
    let mut found = None;
    let mut parcels = Vec::new();
    let mut bytes = 0;
    walk(path, &mut |part| {
        match part {
            Part::Header(header) => found = Some(header),
            Part::Parcel(For::Hq, sealed) if sealed.len() > RELAY_BYTES_MAX => {
                return Err(BundleFault::NotForHim);
            }
            Part::Parcel(For::Hq, sealed) => {
                parcels.push(sha256(&[&sealed]));
                bytes += u64::try_from(sealed.len()).unwrap_or(u64::MAX);
            }
            Part::Parcel(For::Reader, _) => {}
        }
        Ok(())
    })?;
    let header = found.filter(|header| header.author != store.identity().enrolment.replica);
    let header = header.filter(|_| !parcels.is_empty()).ok_or(BundleFault::NotForHim)?;
    let about = About { id: header.id, author: header.author, parcels };
    crate::home::require_space(store.home(), bytes.saturating_add(crate::home::SAVE_BYTES_MIN))?;
    let folder = folder(store).join(name(&about));
    std::fs::create_dir_all(&folder).map_err(|source| StoreError::io("making a folder", &folder, source))?;
    walk(path, &mut |part| match part {
        Part::Parcel(For::Hq, sealed) => {
            Ok(crate::home::write_whole(&file(&folder, sha256(&[&sealed]), PARCEL), &sealed)?)
        }
        Part::Header(_) | Part::Parcel(For::Reader, _) => Ok(()),
    })?;
    // Only now is it there: of a copy that was cut off nothing is sent.
    crate::home::write_whole(&folder.join(ABOUT), &postcard::to_allocvec(&about).unwrap_or_default())?;
    Ok(Kept { id: about.id, author: about.author, parcels: about.parcels.len() })
}

/// Returns the next parcels to show HQ, about `bytes_max` bytes of them.
///
/// # Errors
/// [`StoreError::Io`].
pub fn asks(store: &Store, bytes_max: usize) -> Result<Vec<Ask>, StoreError> {
    let mut asks = Vec::new();
    let mut bytes = 0;
    for (folder, about) in waiting_bundles(store)? {
        for parcel in unanswered(&folder, &about) {
            // One that does not read waits for another copy of the bundle, and holds up nobody's sync.
            let Some(sealed) = parcel_of(&folder, *parcel) else { continue };
            bytes += sealed.len();
            if asks.len() >= PARCELS_MAX || (bytes > bytes_max && !asks.is_empty()) {
                return Ok(asks);
            }
            asks.push(Ask::Relay(sealed));
        }
    }
    Ok(asks)
}

fn parcel_of(folder: &Path, parcel: [u8; 32]) -> Option<Vec<u8>> {
    let sealed = std::fs::read(file(folder, parcel, PARCEL)).ok();
    sealed.filter(|sealed| sha256(&[sealed]) == parcel)
}

/// Returns how many parcels HQ did not answer yet.
///
/// # Errors
/// [`StoreError::Io`].
pub fn waiting(store: &Store) -> Result<usize, StoreError> {
    let bundles = waiting_bundles(store)?;
    Ok(bundles.iter().map(|(folder, about)| unanswered(folder, about).count()).sum())
}

/// Keeps HQ's answer to a parcel; the last one makes the receipt, whose file is returned.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn hear(store: &Store, told: &Relayed, now: Now) -> Result<Option<PathBuf>, StoreError> {
    let mut receipt = None;
    for (folder, about) in waiting_bundles(store)? {
        if !about.parcels.contains(&told.parcel) {
            continue;
        }
        crate::home::write_whole(
            &file(&folder, told.parcel, ANSWER),
            told.answer.as_deref().unwrap_or_default(),
        )?;
        if unanswered(&folder, &about).next().is_none() {
            receipt = Some(deliver(store, &folder, &about, now)?);
        }
    }
    Ok(receipt)
}

/// Makes the receipts that are owed because a kill or a full disk came between the last answer and the receipt, and
/// clears away what a kill left of bundles; returns the receipts.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn finish(store: &Store, now: Now) -> Result<Vec<PathBuf>, StoreError> {
    for path in entries(&folder(store))?.into_iter().filter(|path| path.is_dir()) {
        if !path.join(ABOUT).exists() {
            clear(&path)?;
        }
    }
    let mut receipts = Vec::new();
    for (folder, about) in waiting_bundles(store)? {
        if unanswered(&folder, &about).next().is_none() {
            receipts.push(deliver(store, &folder, &about, now)?);
        }
    }
    Ok(receipts)
}

/// Returns what is and was carried for others, by name.
///
/// # Errors
/// [`StoreError::Io`].
pub fn carried(store: &Store) -> Result<Vec<Carried>, StoreError> {
    let mut all = Vec::new();
    for (folder, about) in waiting_bundles(store)? {
        let waiting = unanswered(&folder, &about).count();
        all.push(Carried { id: about.id, author: about.author, waiting, receipt: None });
    }
    for path in
        entries(&folder(store))?.into_iter().filter(|path| path.extension().is_some_and(|e| e == RECEIPT))
    {
        // One that does not read is nobody's receipt.
        let Ok(Header { answers: Some(id), readers, .. }) = crate::bundle::header(&path) else {
            continue;
        };
        let author = readers.first().copied().unwrap_or(Replica::HQ);
        all.push(Carried { id, author, waiting: 0, receipt: Some(path) });
    }
    Ok(all)
}

const ABOUT: &str = "about";
const PARCEL: &str = "parcel";
const ANSWER: &str = "answer";
const RECEIPT: &str = "fbr";

fn folder(store: &Store) -> PathBuf {
    store.home().join("relay")
}

fn file(folder: &Path, parcel: [u8; 32], what: &str) -> PathBuf {
    folder.join(format!("{}.{what}", records::hex::of(&parcel)))
}

fn name(about: &About) -> String {
    let hash = sha256(&[&postcard::to_allocvec(about).unwrap_or_default()]);
    records::hex::of(hash.split_at(16).0)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::io("listing", folder, source);
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort_unstable();
    Ok(paths)
}

fn waiting_bundles(store: &Store) -> Result<Vec<(PathBuf, About)>, StoreError> {
    let read = |path: PathBuf| {
        // A copy that was cut off says nothing of itself yet.
        let about = postcard::from_bytes(&std::fs::read(path.join(ABOUT)).ok()?).ok()?;
        Some((path, about))
    };
    Ok(entries(&folder(store))?.into_iter().filter_map(read).collect())
}

fn unanswered<'a>(folder: &'a Path, about: &'a About) -> impl Iterator<Item = &'a [u8; 32]> {
    about.parcels.iter().filter(|parcel| !file(folder, **parcel, ANSWER).exists())
}

/// Puts the answers together; the parcels are not needed any more.
fn deliver(store: &Store, folder: &Path, about: &About, now: Now) -> Result<PathBuf, StoreError> {
    let signer = store.signer()?;
    let header = Header {
        kind: BundleKind::Receipt,
        id: BundleId(random()?),
        author: store.identity().enrolment.replica,
        key: signer.public(),
        readers: vec![about.author],
        incarnation: store.hello(now)?.cursor.incarnation,
        created_ms: u64::try_from(now.wall.0).unwrap_or(0),
        expires_ms: 0,
        answers: Some(about.id),
        spans: Vec::new(),
    };
    let path = folder.with_extension(RECEIPT);
    let mut out = NewFile::create(&path)?;
    let (mut writer, bytes) = Writer::begin(&header);
    out.write(&bytes)?;
    for parcel in &about.parcels {
        let path = file(folder, *parcel, ANSWER);
        let sealed = std::fs::read(&path).map_err(|source| StoreError::io("reading", &path, source))?;
        if !sealed.is_empty() {
            out.write(&writer.parcel(For::Reader, &sealed))?;
        }
    }
    out.write(&writer.end(&signer))?;
    out.finish()?;
    // First what says that anything waits: of answers half removed nothing is asked again.
    let waits = folder.join(ABOUT);
    std::fs::remove_file(&waits).map_err(|source| StoreError::io("removing", &waits, source))?;
    clear(folder)?;
    Ok(path)
}

fn clear(folder: &Path) -> Result<(), StoreError> {
    std::fs::remove_dir_all(folder).map_err(|source| StoreError::io("removing", folder, source))
}

#[cfg(test)]
mod tests {
    use sync_protocol::cursor::Incarnation;
    use sync_protocol::sign::Signer;

    use super::*;
    use crate::store::testing::{NOW, home};

    /// A bundle of somebody else's with two parcels for HQ.
    fn bundle(path: &Path) {
        bundle_of(path, [b"one", b"two"], 7);
    }

    fn bundle_of(path: &Path, parcels: [&[u8]; 2], seed: u8) {
        let signer = Signer::from_seed(&[seed; 32]).unwrap();
        let header = Header {
            kind: BundleKind::Work,
            id: BundleId([4; 16]),
            author: Replica(7),
            key: signer.public(),
            readers: vec![Replica::HQ],
            incarnation: Incarnation(3),
            created_ms: 5,
            expires_ms: 0,
            answers: None,
            spans: Vec::new(),
        };
        let (mut writer, mut bytes) = Writer::begin(&header);
        for sealed in parcels {
            bytes.extend(writer.parcel(For::Hq, sealed));
        }
        bytes.extend(writer.end(&signer));
        std::fs::write(path, bytes).unwrap();
    }

    fn answer_all(store: &Store, parcels: [&[u8]; 2]) -> Vec<PathBuf> {
        let told = |sealed: &[u8]| Relayed { parcel: sha256(&[sealed]), answer: Some(sealed.to_vec()) };
        parcels.iter().filter_map(|sealed| hear(store, &told(sealed), NOW).unwrap()).collect()
    }

    #[test]
    fn a_bundle_that_has_another_one_s_name_does_not_displace_it() {
        let (dir, store) = home();
        let file = dir.path().join("bundle");
        bundle(&file);
        keep(&store, &file).unwrap();
        keep(&store, &file).unwrap();
        assert_eq!((waiting(&store).unwrap(), asks(&store, usize::MAX).unwrap().len()), (2, 2));
        bundle_of(&file, [b"three", b"four"], 9);
        keep(&store, &file).unwrap();
        assert_eq!((waiting(&store).unwrap(), asks(&store, usize::MAX).unwrap().len()), (4, 4));
        let receipts =
            [answer_all(&store, [b"one", b"two"]), answer_all(&store, [b"three", b"four"])].concat();
        assert_eq!(receipts.len(), 2);
        assert!(receipts[0] != receipts[1] && receipts.iter().all(|path| path.exists()));
    }

    #[test]
    fn a_damaged_or_missing_parcel_holds_up_no_sync_and_another_copy_mends_it() {
        let (dir, store) = home();
        let bundled = dir.path().join("bundle");
        bundle(&bundled);
        keep(&store, &bundled).unwrap();
        let carried_in = waiting_bundles(&store).unwrap().remove(0).0;
        let parcel = |sealed: &[u8]| super::file(&carried_in, sha256(&[sealed]), PARCEL);
        std::fs::write(parcel(b"one"), b"none").unwrap();
        assert_eq!(asks(&store, usize::MAX).unwrap(), [Ask::Relay(b"two".to_vec())]);
        std::fs::remove_file(parcel(b"two")).unwrap();
        assert_eq!(asks(&store, usize::MAX).unwrap(), []);
        assert_eq!(waiting(&store).unwrap(), 2, "it is still owed");
        keep(&store, &bundled).unwrap();
        assert_eq!(asks(&store, usize::MAX).unwrap().len(), 2);
    }

    #[test]
    fn a_kill_before_the_receipt_or_while_it_clears_up_costs_no_receipt_and_stops_no_sync() {
        let (dir, store) = home();
        let file = dir.path().join("bundle");
        bundle(&file);
        let kept = keep(&store, &file).unwrap();
        let told = |sealed: &[u8]| Relayed { parcel: sha256(&[sealed]), answer: Some(sealed.to_vec()) };
        assert_eq!(hear(&store, &told(b"one"), NOW).unwrap(), None);
        assert_eq!(finish(&store, NOW).unwrap(), [] as [PathBuf; 0], "HQ did not answer everything yet");
        // The last answer is on the disk, and then the battery is empty.
        let carried_in = waiting_bundles(&store).unwrap().remove(0).0;
        let last = super::file(&carried_in, sha256(&[b"two"]), ANSWER);
        crate::home::write_whole(&last, b"two").unwrap();
        assert_eq!((waiting(&store).unwrap(), asks(&store, usize::MAX).unwrap().len()), (0, 0));
        let made = finish(&store, NOW).unwrap();
        assert_eq!(made, [carried_in.with_extension(RECEIPT)]);
        assert!(!carried_in.exists() && finish(&store, NOW).unwrap().is_empty());
        // The receipt is there, and the battery is empty while the answers are cleared away.
        std::fs::create_dir_all(&carried_in).unwrap();
        std::fs::write(super::file(&carried_in, [1; 32], PARCEL), b"left").unwrap();
        assert_eq!(asks(&store, usize::MAX).unwrap(), []);
        finish(&store, NOW).unwrap();
        let all = carried(&store).unwrap();
        assert_eq!(all.iter().map(|one| (one.id, one.waiting)).collect::<Vec<_>>(), [(kept.id, 0)]);
        assert!(all[0].receipt.is_some() && !carried_in.exists());
    }
}
