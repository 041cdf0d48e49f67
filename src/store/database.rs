//! The one room that names sled: five trees of sealed values, written in transactions, made durable by checkpoints.
//!
//! Values are cut into pieces of at most [`PIECE_BYTES_MAX`]; a key ends with the piece's number.
//! Small ones are packed by neighbourhood first, see [`crate::store::blocks`].
//! sled's own files for long values are never synced by it, so none may come to be.
//!
//! Source: docs/STORAGE.md, Database.

mod packed;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};

use crate::keys::{Domain, Keys, Place, SEAL_BYTES};
use crate::store::error::{Part, StoreError};

/// Plain bytes of one piece: sealed and with its count byte it stays below 4 KiB.
const PIECE_BYTES_MAX: usize = 4000 - SEAL_BYTES;
/// Bytes of one value: 255 pieces.
const VALUE_BYTES_MAX: usize = PIECE_BYTES_MAX * 255;
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// How long the threads of a database that was dropped may hold it, in milliseconds.
const LOCK_WAIT_MS: u32 = 5_000;
const SCHEMA: u8 = 1;

/// The trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// Counts, cursors, log ends, settings.
    Meta,
    /// The entry of each document.
    Docs,
    /// Postings: keys, mostly without values.
    Index,
    /// Ops.
    Log,
    /// What HQ ruled.
    Rulings,
}

impl Tree {
    /// Every tree, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Meta, Self::Docs, Self::Index, Self::Log, Self::Rulings];

    /// Whether its values are small, and lie packed in blocks.
    fn is_packed(self) -> bool {
        match self {
            Self::Docs | Self::Index => true,
            Self::Meta | Self::Log | Self::Rulings => false,
        }
    }

    fn domain(self) -> Domain {
        match self {
            Self::Meta => Domain::Meta,
            Self::Docs => Domain::Docs,
            Self::Index => Domain::Index,
            Self::Log => Domain::Log,
            Self::Rulings => Domain::Rulings,
        }
    }

    fn part(self) -> Part {
        match self {
            Self::Meta => Part::Database,
            Self::Docs | Self::Index => Part::Views,
            Self::Log => Part::Log,
            Self::Rulings => Part::Rulings,
        }
    }
}

/// Puts and removals that become true together; a read through it sees them already.
#[derive(Debug, Default)]
pub struct Change {
    values: BTreeMap<(Tree, Vec<u8>), Option<Vec<u8>>>,
}

impl Change {
    /// Puts a value.
    pub fn put(&mut self, tree: Tree, key: &[u8], value: Vec<u8>) {
        self.values.insert((tree, key.to_vec()), Some(value));
    }

    /// Removes a value.
    pub fn remove(&mut self, tree: Tree, key: &[u8]) {
        self.values.insert((tree, key.to_vec()), None);
    }

    /// Returns how many values change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns whether a value of that tree goes.
    #[must_use]
    pub fn removes(&self, tree: Tree) -> bool {
        self.values.iter().any(|((of, _), value)| *of == tree && value.is_none())
    }

    /// Returns the value as it will be: `Some(None)` where it goes, `None` where nothing changes.
    #[must_use]
    pub fn known(&self, tree: Tree, key: &[u8]) -> Option<Option<&[u8]>> {
        self.values.get(&(tree, key.to_vec())).map(Option::as_deref)
    }

    /// Takes a later change into this one.
    pub fn absorb(&mut self, mut later: Self) {
        self.values.append(&mut later.values);
    }

    /// Returns the keys of a tree that change, from `from` on, and whether each is put.
    pub fn from<'a>(&'a self, tree: Tree, from: &[u8]) -> impl Iterator<Item = (&'a [u8], bool)> + use<'a> {
        let range = self.values.range((tree, from.to_vec())..);
        range
            .take_while(move |((of, _), _)| *of == tree)
            .map(|((_, key), value)| (key.as_slice(), value.is_some()))
    }
}

/// The open database.
pub struct Database {
    path: PathBuf,
    db: sled::Db,
    trees: [sled::Tree; 5],
    /// A descriptor of our own on `db`: sled's flush alone is not durable on Linux.
    sync: File,
    /// The block of a packed tree that was read last.
    at_hand: RefCell<Option<Arc<packed::Block>>>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database, making it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where sled cannot, or panics; [`StoreError::NoSpace`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        remove_half_written(path)?;
        let fresh = !path.join("db").exists();
        let (db, trees) = guarded(path, Part::Database, || {
            let db = opened(path)?;
            let trees = ["m", "d", "i", "l", "r"].map(|name| db.open_tree(name));
            let [meta, docs, index, log, rulings] = trees;
            Ok((db, [meta?, docs?, index?, log?, rulings?]))
        })?;
        let failed = |source| StoreError::io("opening the database", path, source);
        // Windows syncs only what is open for writing.
        let writable = |name| OpenOptions::new().read(true).write(true).open(path.join(name));
        let sync = writable("db").map_err(failed)?;
        let database = Self { path: path.to_path_buf(), db, trees, sync, at_hand: RefCell::default() };
        if fresh {
            database.checkpoint()?;
            writable("conf").and_then(|conf| conf.sync_all()).map_err(failed)?;
            crate::home::sync_folder(path).map_err(failed)?;
            crate::home::sync_folder(path.parent().unwrap_or(path)).map_err(failed)?;
        }
        Ok(database)
    }

    /// Makes everything durable that was committed.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::Io`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        guarded(&self.path, Part::Database, || self.db.flush())?;
        self.sync.sync_data().map_err(|source| StoreError::io("syncing the database", &self.path, source))
    }

    /// Returns a value.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it does not open.
    pub fn get(&self, keys: &Keys, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if tree.is_packed() { self.packed(keys, tree, key) } else { self.value(keys, tree, key) }
    }

    fn value(&self, keys: &Keys, tree: Tree, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((count, mut value)) = self.piece(keys, tree, key, 0)? else {
            return Ok(None);
        };
        for number in 1..count {
            let piece = self.piece(keys, tree, key, number)?;
            let (_, bytes) = piece.ok_or_else(|| StoreError::damaged(tree.part(), &self.path))?;
            value.extend_from_slice(&bytes);
        }
        Ok(Some(value))
    }

    /// Walks the keys from `from` on, forward, as long as `f` says so. Piece numbers are cut off.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and whatever `f` returns.
    pub fn keys_from(
        &self,
        keys: &Keys,
        tree: Tree,
        from: &[u8],
        f: &mut dyn FnMut(&[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        if tree.is_packed() {
            return self.packed_from(keys, tree, from, f);
        }
        let mut names = self.tree(tree).range(from.to_vec()..).keys();
        while let Some(name) = guarded(&self.path, tree.part(), || names.next().transpose())? {
            if let Some(key) = packed::of_first_piece(&name)
                && !f(key)?
            {
                break;
            }
        }
        Ok(())
    }

    /// Reads every key and value, sealed as they are.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn read_all(&self) -> Result<(), StoreError> {
        for tree in Tree::ALL {
            let mut pairs = self.tree(tree).iter();
            while guarded(&self.path, tree.part(), || pairs.next().transpose())?.is_some() {}
        }
        Ok(())
    }

    /// Commits a change: all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`], [`StoreError::Damaged`].
    pub fn commit(&self, keys: &Keys, change: &Change) -> Result<(), StoreError> {
        let batches = self.batches(keys, change)?;
        let [meta, docs, index, log, rulings] = &self.trees;
        let [b0, b1, b2, b3, b4] = &batches;
        *self.at_hand.borrow_mut() = None;
        guarded(&self.path, Part::Database, || {
            let done = (meta, docs, index, log, rulings).transaction(|(meta, docs, index, log, rulings)| {
                meta.apply_batch(b0)?;
                docs.apply_batch(b1)?;
                index.apply_batch(b2)?;
                log.apply_batch(b3)?;
                rulings.apply_batch(b4)?;
                Ok::<(), ConflictableTransactionError<sled::Error>>(())
            });
            done.map_err(|error| match error {
                TransactionError::Abort(error) | TransactionError::Storage(error) => error,
            })
        })
    }

    fn batches(&self, keys: &Keys, change: &Change) -> Result<[sled::Batch; 5], StoreError> {
        let mut batches: [sled::Batch; 5] = Default::default();
        for ((tree, key), value) in &change.values {
            let [meta, docs, index, log, rulings] = &mut batches;
            let batch = match tree {
                Tree::Meta => meta,
                Tree::Docs => docs,
                Tree::Index => index,
                Tree::Log => log,
                Tree::Rulings => rulings,
            };
            match value {
                _ if tree.is_packed() => {}
                Some(value) => Self::put_pieces(keys, *tree, key, value, batch)?,
                None => self.remove_pieces(keys, *tree, key, batch)?,
            }
        }
        let [_, docs, index, ..] = &mut batches;
        self.repack(keys, Tree::Docs, change, docs)?;
        self.repack(keys, Tree::Index, change, index)?;
        Ok(batches)
    }

    fn put_pieces(
        keys: &Keys,
        tree: Tree,
        key: &[u8],
        value: &[u8],
        batch: &mut sled::Batch,
    ) -> Result<(), StoreError> {
        for (number, piece) in pieces(value).enumerate() {
            let key = piece_key(key, u8::try_from(number).unwrap_or(u8::MAX));
            let sealed = keys.seal(place(tree, &key), &piece)?;
            batch.insert(key, sealed);
        }
        Ok(())
    }

    fn remove_pieces(
        &self,
        keys: &Keys,
        tree: Tree,
        key: &[u8],
        batch: &mut sled::Batch,
    ) -> Result<(), StoreError> {
        let count = self.piece(keys, tree, key, 0)?.map_or(0, |(count, _)| count);
        for number in 0..count {
            batch.remove(piece_key(key, number));
        }
        Ok(())
    }

    fn piece(
        &self,
        keys: &Keys,
        tree: Tree,
        key: &[u8],
        number: u8,
    ) -> Result<Option<(u8, Vec<u8>)>, StoreError> {
        let key = piece_key(key, number);
        let sled_tree = self.tree(tree);
        let Some(sealed) = guarded(&self.path, tree.part(), || sled_tree.get(&key))? else {
            return Ok(None);
        };
        let plain = keys.open_sealed(place(tree, &key), &sealed);
        let (count, bytes) = plain
            .as_ref()
            .and_then(|plain| plain.split_first())
            .ok_or_else(|| StoreError::damaged(tree.part(), &self.path))?;
        Ok(Some((*count, bytes.to_vec())))
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        let [meta, docs, index, log, rulings] = &self.trees;
        match tree {
            Tree::Meta => meta,
            Tree::Docs => docs,
            Tree::Index => index,
            Tree::Log => log,
            Tree::Rulings => rulings,
        }
    }
}

/// Returns whether a value fits the pieces.
#[must_use]
pub fn fits(bytes: usize) -> bool {
    bytes <= VALUE_BYTES_MAX
}

fn place(tree: Tree, key: &[u8]) -> Place<'_> {
    Place { domain: tree.domain(), key, seq: 0, schema: SCHEMA }
}

fn piece_key(key: &[u8], number: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 1);
    out.extend_from_slice(key);
    out.push(number);
    out
}

/// Cuts a value; each piece begins with how many there are.
fn pieces(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let count = u8::try_from(value.len().div_ceil(PIECE_BYTES_MAX).max(1)).unwrap_or(u8::MAX);
    let chunks: Vec<&[u8]> =
        if value.is_empty() { vec![&[]] } else { value.chunks(PIECE_BYTES_MAX).collect() };
    chunks.into_iter().map(move |chunk| [&[count], chunk].concat())
}

/// Opens sled. The home's own lock keeps other programs out; but a database that this one just dropped is held on to
/// by sled's threads for some more milliseconds.
fn opened(path: &Path) -> sled::Result<sled::Db> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        .mode(sled::Mode::LowSpace)
        .flush_every_ms(None);
    let mut waited_ms = 0;
    loop {
        match config.open() {
            // sled has no name for it, only words.
            Err(sled::Error::Io(error))
                if waited_ms < LOCK_WAIT_MS && error.to_string().starts_with("could not acquire lock") =>
            {
                std::thread::sleep(std::time::Duration::from_millis(1));
                waited_ms += 1;
            }
            other => return other,
        }
    }
}

/// A full disk or a power cut leaves `snap.*.generating`, which sled would take for a snapshot.
fn remove_half_written(path: &Path) -> Result<(), StoreError> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            std::fs::remove_file(entry.path())
                .map_err(|source| StoreError::io("clearing a half-written snapshot", path, source))?;
        }
    }
    Ok(())
}

/// Runs sled; a panic of its own becomes an error like any other.
fn guarded<T>(path: &Path, part: Part, f: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match std::panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(source))) => Err(StoreError::io("using the database", path, source)),
        Ok(Err(_)) | Err(_) => Err(StoreError::damaged(part, path)),
    }
}
