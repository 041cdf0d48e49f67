//! What is known of files: which ones HQ still lacks, which ones it signed for, which ones are to be fetched.
//!
//! Postings `f u part hash` are files that wait for HQ, `f m hash` those that are neither here nor there,
//! `f d time document hash` those to be fetched; a value `f hash` says since when HQ has a file.
//! All follow from the ops and from what HQ says: lost with the database, they come again.
//!
//! Source: docs/STORAGE.md, Attachments.

use std::collections::BTreeSet;

use records::files::{Named, Part};
use records::id::{DocId, OpId};
use records::value::FileHash;
use serde::{Deserialize, Serialize};
use sync_protocol::op::{Row, Write};
use sync_protocol::stamp::Stamp;

use crate::blobs::Blobs;
use crate::clock::Now;
use crate::store::Store;
use crate::store::database::Tree;
use crate::store::entry::{doc_key, doc_of_key};
use crate::store::error::{Part as Place, StoreError};
use crate::store::work::Work;

/// A file's name: SHA-256 of its bytes.
pub type Hash = [u8; 32];

const WAITING: [u8; 2] = *b"fu";
const MISSING: [u8; 2] = *b"fm";
const TO_FETCH: [u8; 2] = *b"fd";
const KNOWN: u8 = b'f';
/// The setting with the history of HQ that signed for the files.
const SIGNED_BY: &str = "files.signed_by";

/// In which order files go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Turn {
    /// Thumbnails.
    Thumb,
    /// What somebody at HQ waits for.
    Asked,
    /// Everything else.
    Whole,
}

/// What HQ said of a file that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtHq {
    /// When it went up.
    pub turn: Turn,
    /// When HQ signed for it, by the device's clock, milliseconds UTC.
    pub since_ms: u64,
}

/// A file to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToFetch {
    /// A document that names it.
    pub doc: DocId,
    /// Its name.
    pub hash: Hash,
    /// Of what age the naming op is: newer ones come first.
    age: [u8; 8],
}

/// How the files of a home stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileCounts {
    /// Files that only this device has.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Files named here that are neither here nor at HQ.
    pub missing: u64,
    /// Files to be fetched.
    pub to_fetch: u64,
}

/// Returns the files that an op names.
pub(in crate::store) fn named(row: &Row) -> Vec<Named> {
    let Some(kind) = records::kinds::by_number(row.kind) else {
        return Vec::new();
    };
    let in_write = |write: &Write| records::files::in_write(kind, write.tag.number(), &write.bytes);
    row.writes.iter().flat_map(in_write).collect()
}

impl Work {
    /// Notes the files that an op on a document names: own ones wait for HQ, others' thumbnails are to be fetched.
    pub(in crate::store) fn note_files(
        &mut self,
        store: &Store,
        op: OpId,
        (doc, stamp): (DocId, Stamp),
        named: &[Named],
    ) -> Result<(), StoreError> {
        let own = op.replica == store.replica();
        for Named { part, hash } in named {
            match part {
                Part::Thumb if own => self.wait_for_hq(store, Turn::Thumb, hash)?,
                Part::Whole if own => self.wait_for_hq(store, Turn::Whole, hash)?,
                Part::Thumb if !Blobs::of(store).has(&FileHash(hash.to_vec())) => {
                    let fetch = ToFetch { doc, hash: *hash, age: (!stamp.ms).to_be_bytes() };
                    self.change.put(Tree::Index, &fetch.key(), Vec::new());
                }
                Part::Thumb | Part::Whole | Part::Original => {}
            }
        }
        Ok(())
    }

    fn wait_for_hq(&mut self, store: &Store, turn: Turn, hash: &Hash) -> Result<(), StoreError> {
        if self.value(store, Tree::Meta, &known_key(hash))?.is_none() {
            self.change.put(Tree::Index, &waiting_key(turn, hash), Vec::new());
            self.change.remove(Tree::Index, &missing_key(hash));
        }
        Ok(())
    }

    fn wait_no_more(&mut self, hash: &Hash) {
        for turn in [Turn::Thumb, Turn::Asked, Turn::Whole] {
            self.change.remove(Tree::Index, &waiting_key(turn, hash));
        }
        self.change.remove(Tree::Index, &missing_key(hash));
    }
}

impl Store {
    /// Returns the files that wait for HQ, in the order in which they go up; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn files_waiting(&self, limit: usize) -> Result<Vec<(Turn, Hash)>, StoreError> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        self.keys_from(Tree::Index, &WAITING, &mut |key| {
            let Some(rest) = key.strip_prefix(&WAITING).filter(|_| found.len() < limit) else {
                return Ok(false);
            };
            if let Some((turn, hash)) = read_waiting(rest)
                && seen.insert(hash)
            {
                found.push((turn, hash));
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// Returns what HQ said of a file that it has; `None` where it has not, or nobody knows.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn file_at_hq(&self, hash: &Hash) -> Result<Option<AtHq>, StoreError> {
        let bytes = self.get(Tree::Meta, &known_key(hash))?;
        bytes.map(|bytes| postcard::from_bytes(&bytes).map_err(|_| self.damaged(Place::Database))).transpose()
    }

    /// Notes files for which HQ signed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_at_hq(&mut self, hashes: &[Hash], now: Now) -> Result<(), StoreError> {
        let mut work = self.work();
        let since_ms = u64::try_from(now.wall.0).unwrap_or(0);
        for hash in hashes {
            let turns = [Turn::Thumb, Turn::Asked, Turn::Whole].into_iter();
            let mut waits = turns.filter(|turn| self.has(&waiting_key(*turn, hash)).unwrap_or(false));
            let turn = waits.next().unwrap_or(Turn::Whole);
            work.wait_no_more(hash);
            let known = postcard::to_allocvec(&AtHq { turn, since_ms }).unwrap_or_default();
            work.change.put(Tree::Meta, &known_key(hash), known);
        }
        self.commit(work)
    }

    /// Notes a file that is named here and is neither here nor at HQ.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_missing(&mut self, hash: &Hash) -> Result<(), StoreError> {
        let mut work = self.work();
        work.wait_no_more(hash);
        work.change.put(Tree::Index, &missing_key(hash), Vec::new());
        self.commit(work)
    }

    /// Returns the files that [`Self::note_missing`] noted: another home of this name may have brought them to HQ since.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn files_noted_missing(&self) -> Result<Vec<Hash>, StoreError> {
        let mut missing = Vec::new();
        self.keys_from(Tree::Index, &MISSING, &mut |key| {
            missing.extend(key.strip_prefix(&MISSING).and_then(|hash| Hash::try_from(hash).ok()));
            Ok(key.starts_with(&MISSING))
        })?;
        Ok(missing)
    }

    /// Lets files wait that HQ asks for, as far as they are here; returns how many it newly asks for.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note_asked(&mut self, hashes: &[Hash]) -> Result<usize, StoreError> {
        let mut work = self.work();
        let mut asked = 0;
        for hash in hashes.iter().filter(|hash| Blobs::of(self).has(&FileHash(hash.to_vec()))) {
            if !self.has(&waiting_key(Turn::Asked, hash))? {
                work.wait_for_hq(self, Turn::Asked, hash)?;
                asked += 1;
            }
        }
        self.commit(work)?;
        Ok(asked)
    }

    /// Lets every file wait again that another history of HQ than `incarnation` signed for: a restored HQ may lack it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn doubt_files(&mut self, incarnation: u32) -> Result<(), StoreError> {
        let before = self.setting(SIGNED_BY)?;
        if before.as_deref() == Some(&incarnation.to_le_bytes()) {
            return Ok(());
        }
        let mut known: Vec<Hash> = Vec::new();
        self.keys_from(Tree::Meta, &[KNOWN], &mut |key| {
            known.extend(key.strip_prefix(&[KNOWN]).and_then(|hash| Hash::try_from(hash).ok()));
            Ok(key.starts_with(&[KNOWN]))
        })?;
        for hash in known {
            let turn = self.file_at_hq(&hash)?.map_or(Turn::Whole, |known| known.turn);
            let mut work = self.work();
            work.change.remove(Tree::Meta, &known_key(&hash));
            work.change.put(Tree::Index, &waiting_key(turn, &hash), Vec::new());
            self.commit(work)?;
        }
        self.checkpoint()?;
        self.put_setting(SIGNED_BY, incarnation.to_le_bytes().to_vec())
    }

    /// Returns the files to be fetched, those of the newest ops first; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn files_to_fetch(&self, limit: usize) -> Result<Vec<ToFetch>, StoreError> {
        let mut found = Vec::new();
        self.keys_from(Tree::Index, &TO_FETCH, &mut |key| {
            let Some(rest) = key.strip_prefix(&TO_FETCH).filter(|_| found.len() < limit) else {
                return Ok(false);
            };
            found.extend(ToFetch::read(rest));
            Ok(true)
        })?;
        Ok(found)
    }

    /// Lets a file be fetched before all others.
    ///
    /// # Errors
    /// Those of the database.
    pub fn fetch_first(&mut self, doc: DocId, hash: Hash) -> Result<ToFetch, StoreError> {
        let fetch = ToFetch { doc, hash, age: [0; 8] };
        let mut work = self.work();
        work.change.put(Tree::Index, &fetch.key(), Vec::new());
        self.commit(work)?;
        Ok(fetch)
    }

    /// Lets a file be fetched no more: it is here, or nobody may see it any longer.
    ///
    /// # Errors
    /// Those of the database.
    pub fn fetch_no_more(&mut self, fetch: &ToFetch) -> Result<(), StoreError> {
        let mut work = self.work();
        work.change.remove(Tree::Index, &fetch.key());
        self.commit(work)
    }

    /// Returns the files named here that are neither here nor, as far as it said, at HQ.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn files_missing(&self) -> Result<Vec<Hash>, StoreError> {
        let waiting = self.files_waiting(usize::MAX)?.into_iter().map(|(_, hash)| hash);
        let gone = |hash: &Hash| !Blobs::of(self).has(&FileHash(hash.to_vec()));
        Ok(waiting.filter(gone).chain(self.files_noted_missing()?).collect())
    }

    /// Returns how the files stand, without a look at the records.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn file_counts(&self) -> Result<FileCounts, StoreError> {
        let mut counts = FileCounts::default();
        let blobs = Blobs::of(self);
        for (_, hash) in self.files_waiting(usize::MAX)? {
            let bytes = blobs.length(&FileHash(hash.to_vec()));
            counts.waiting += u64::from(bytes.is_some());
            counts.waiting_bytes += bytes.unwrap_or(0);
        }
        counts.missing = u64::try_from(self.files_missing()?.len()).unwrap_or(u64::MAX);
        counts.to_fetch = u64::try_from(self.files_to_fetch(usize::MAX)?.len()).unwrap_or(u64::MAX);
        Ok(counts)
    }
}

impl ToFetch {
    /// Returns whether a person asked for it: then it may be more than a thumbnail.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.age == [0; 8]
    }

    fn key(&self) -> Vec<u8> {
        [&TO_FETCH[..], &self.age, &doc_key(self.doc), &self.hash].concat()
    }

    fn read(rest: &[u8]) -> Option<Self> {
        let (age, rest) = rest.split_first_chunk::<8>()?;
        let (doc, hash) = rest.split_first_chunk::<16>()?;
        Some(Self { doc: doc_of_key(*doc), hash: hash.try_into().ok()?, age: *age })
    }
}

fn known_key(hash: &Hash) -> Vec<u8> {
    [&[KNOWN][..], hash].concat()
}

fn missing_key(hash: &Hash) -> Vec<u8> {
    [&MISSING[..], hash].concat()
}

fn waiting_key(turn: Turn, hash: &Hash) -> Vec<u8> {
    let turn = match turn {
        Turn::Thumb => 0,
        Turn::Asked => 1,
        Turn::Whole => 2,
    };
    [&WAITING[..], &[turn], hash].concat()
}

fn read_waiting(rest: &[u8]) -> Option<(Turn, Hash)> {
    let (turn, hash) = rest.split_first()?;
    let turn = match turn {
        0 => Turn::Thumb,
        1 => Turn::Asked,
        _ => Turn::Whole,
    };
    Some((turn, hash.try_into().ok()?))
}
