//! Attachments: one sealed file each, named by the SHA-256 of what it holds.
//!
//! File: `magic 4 | file id 16`, then sealed chunks of 64 KiB; the last one, which may be empty, is sealed as the last.
//! Equal files are kept once. Only when a file is whole on the disk may an op name it.
//!
//! Source: docs/STORAGE.md, Attachments.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use records::value::FileHash;
use ring::digest::{Context, SHA256};
use sync_protocol::asides::{Piece, piece_bytes};
use sync_protocol::limits::{CHUNK_BYTES as PIECE_BYTES, FILE_BYTES_MAX};

use crate::keys::{Domain, Keys, Place, SEAL_BYTES, random};
use crate::store::error::{Limited, Part, StoreError};

const MAGIC: &[u8; 4] = b"FBB1";
const ID_BYTES: usize = 16;
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes before the first chunk.
const HEAD_BYTES: u64 = 20;
/// A piece of a file on its way to HQ is so many chunks here.
const CHUNKS_OF_PIECE: u64 = 2;
/// In the place of a chunk: whether others follow. A file cut short at a chunk's end does not read.
const MIDDLE: u8 = 1;
const LAST: u8 = 2;

/// The attachments of one home.
#[derive(Debug, Clone, Copy)]
pub struct Blobs<'a> {
    home: &'a Path,
    keys: &'a Keys,
}

/// A file that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// SHA-256 of its bytes.
    pub hash: FileHash,
    /// How many.
    pub bytes: u64,
}

/// What became of a file with a piece that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// More pieces are to come.
    More,
    /// It is whole, and what its name promises.
    Whole,
    /// It is not what its name promises, and gone.
    Wrong,
}

impl<'a> Blobs<'a> {
    /// Returns the door to the attachments of a home that is not open.
    #[must_use]
    pub(crate) fn at(home: &'a Path, keys: &'a Keys) -> Self {
        Self { home, keys }
    }

    /// Returns the attachments of an open store.
    #[must_use]
    pub fn of(store: &'a crate::store::Store) -> Self {
        Self { home: store.home(), keys: store.keys() }
    }

    /// Keeps what the reader gives and returns once it is on the disk.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] below 64 MiB of free space, [`StoreError::Limit`] beyond 32 MiB, [`StoreError::Io`].
    pub fn put(&self, reader: &mut dyn Read) -> Result<Put, StoreError> {
        crate::home::require_space(self.home, crate::home::BLOB_BYTES_MIN)?;
        let name: [u8; 8] = random()?;
        let temp = self.folder().join(format!("{:016x}.new", u64::from_le_bytes(name)));
        let put = self.write(&temp, reader).and_then(|put| self.settle(&temp, put));
        if put.is_err() {
            // What was begun is of no use; an error in clearing it would hide the real one.
            let _ = std::fs::remove_file(&temp);
        }
        put
    }

    /// Returns how many pieces of a file that comes from HQ are here.
    #[must_use]
    pub fn received(&self, hash: &FileHash) -> u32 {
        let body =
            std::fs::metadata(self.coming(hash)).ok().and_then(|meta| meta.len().checked_sub(HEAD_BYTES));
        let pieces = body.unwrap_or(0) / (sealed_bytes() * CHUNKS_OF_PIECE);
        u32::try_from(pieces).unwrap_or(0)
    }

    /// Keeps a piece of a file that comes from HQ; the pieces come in order, and any other one is let go.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] below 64 MiB of free space, [`StoreError::Io`].
    pub fn take(&self, piece: &Piece) -> Result<Taken, StoreError> {
        crate::home::require_space(self.home, crate::home::BLOB_BYTES_MIN)?;
        let (hash, path) = (FileHash(piece.hash.to_vec()), self.coming(&FileHash(piece.hash.to_vec())));
        let fits = piece_bytes(piece.total, piece.index) == Some(piece.bytes.len());
        if !fits || self.received(&hash) != piece.index {
            return Ok(Taken::More);
        }
        let failed = |source| StoreError::io("keeping an attachment", &path, source);
        let last = piece.index + 1 == sync_protocol::asides::pieces(piece.total);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(piece.index == 0)
            .open(&path)
            .map_err(failed)?;
        let id = if piece.index == 0 {
            let id: [u8; ID_BYTES] = random()?;
            file.write_all(MAGIC).and_then(|()| file.write_all(&id)).map_err(failed)?;
            id.to_vec()
        } else {
            // Of one whose beginning does not read, nothing that came can be used: it comes again from its first piece.
            let Ok(id) = self.head(&mut file, &path) else {
                std::fs::remove_file(&path).map_err(failed)?;
                return Ok(Taken::Wrong);
            };
            id
        };
        let first = u64::from(piece.index) * CHUNKS_OF_PIECE;
        let end = HEAD_BYTES + first * sealed_bytes();
        // What a cut left behind the last whole piece goes.
        file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).map_err(failed)?;
        for (number, chunk) in (first..).zip(chunks(&piece.bytes, last)) {
            let kind = if chunk.len() < CHUNK_BYTES { LAST } else { MIDDLE };
            file.write_all(&self.keys.seal(place(&id, number, kind), chunk)?).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        if !last {
            return Ok(Taken::More);
        }
        if self.read_from(&path, &hash, &mut std::io::sink()).is_err() {
            std::fs::remove_file(&path).map_err(failed)?;
            return Ok(Taken::Wrong);
        }
        self.settle(&path, Put { hash, bytes: piece.total })?;
        Ok(Taken::Whole)
    }

    /// Removes a file; HQ has it.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn remove(&self, hash: &FileHash) -> Result<(), StoreError> {
        let path = self.path(hash);
        std::fs::remove_file(&path).map_err(|source| StoreError::io("removing an attachment", &path, source))
    }

    /// Moves a file that does not read into a folder, for whoever may still find something in it.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn set_aside(&self, hash: &FileHash, folder: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path(hash), folder.join(records::hex::of(&hash.0)));
        let moved = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::rename(&from, &to))
            .and_then(|()| crate::home::sync_folder(folder));
        moved.map_err(|source| StoreError::io("setting a damaged file aside", &from, source))
    }

    fn coming(&self, hash: &FileHash) -> PathBuf {
        self.folder().join(format!("{}.part", records::hex::of(&hash.0)))
    }

    /// Writes a file out whole.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it does not read as it was written, [`StoreError::Io`] where it is not here.
    pub fn read_to(&self, hash: &FileHash, out: &mut dyn Write) -> Result<u64, StoreError> {
        self.read_from(&self.path(hash), hash, out)
    }

    fn read_from(&self, path: &Path, hash: &FileHash, out: &mut dyn Write) -> Result<u64, StoreError> {
        let failed = |source| StoreError::io("reading an attachment", path, source);
        let damaged = || StoreError::damaged(Part::Blobs, path);
        let mut file = File::open(path).map_err(failed)?;
        let id = self.head(&mut file, path)?;
        let (mut context, mut total) = (Context::new(&SHA256), 0);
        for number in 0.. {
            let (plain, last) = self.next(&mut file, path, &id, number)?;
            context.update(&plain);
            total += u64::try_from(plain.len()).unwrap_or(0);
            out.write_all(&plain).map_err(failed)?;
            if last {
                break;
            }
        }
        let whole = context.finish().as_ref() == hash.0 && file.read(&mut [0]).map_err(failed)? == 0;
        if whole { Ok(total) } else { Err(damaged()) }
    }

    /// Returns a file's bytes.
    ///
    /// # Errors
    /// Those of [`Blobs::read_to`].
    pub fn get(&self, hash: &FileHash) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        self.read_to(hash, &mut bytes)?;
        Ok(bytes)
    }

    /// Returns a file's length; `None` where it is not here.
    #[must_use]
    pub fn length(&self, hash: &FileHash) -> Option<u64> {
        let stored = std::fs::metadata(self.path(hash)).ok()?.len();
        let sealed = u64::try_from(CHUNK_BYTES + SEAL_BYTES).ok()?;
        let body = stored.checked_sub(HEAD_BYTES)?;
        body.checked_sub((body / sealed + 1) * u64::try_from(SEAL_BYTES).ok()?)
    }

    /// Returns a piece of a file, as files travel: 128 KiB, but for the last one.
    ///
    /// # Errors
    /// As [`Blobs::read_to`], of this piece only.
    pub fn piece(&self, hash: &FileHash, index: u32) -> Result<Vec<u8>, StoreError> {
        let path = self.path(hash);
        let failed = |source| StoreError::io("reading an attachment", &path, source);
        let mut file = File::open(&path).map_err(failed)?;
        let id = self.head(&mut file, &path)?;
        let first = u64::from(index) * CHUNKS_OF_PIECE;
        file.seek(SeekFrom::Start(HEAD_BYTES + first * sealed_bytes())).map_err(failed)?;
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        for number in first..first + CHUNKS_OF_PIECE {
            let (plain, last) = self.next(&mut file, &path, &id, number)?;
            piece.extend_from_slice(&plain);
            if last {
                break;
            }
        }
        Ok(piece)
    }

    /// Reads what stands before the chunks, and returns the file's random name in their places.
    fn head(&self, file: &mut File, path: &Path) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::damaged(Part::Blobs, path);
        let mut head = [0; MAGIC.len() + ID_BYTES];
        file.read_exact(&mut head).map_err(|_| damaged())?;
        head.strip_prefix(MAGIC).map(<[u8]>::to_vec).ok_or_else(damaged)
    }

    /// Reads a chunk and says whether it is the last.
    fn next(
        &self,
        file: &mut File,
        path: &Path,
        id: &[u8],
        number: u64,
    ) -> Result<(Vec<u8>, bool), StoreError> {
        let mut sealed = Vec::with_capacity(CHUNK_BYTES + SEAL_BYTES);
        let read = file.take(sealed_bytes()).read_to_end(&mut sealed);
        read.map_err(|source| StoreError::io("reading an attachment", path, source))?;
        if let Some(plain) = self.keys.open_sealed(place(id, number, MIDDLE), &sealed) {
            return Ok((plain, false));
        }
        let last = self.keys.open_sealed(place(id, number, LAST), &sealed);
        last.map(|plain| (plain, true)).ok_or_else(|| StoreError::damaged(Part::Blobs, path))
    }

    /// Returns whether the file is here; that it reads is not looked at.
    #[must_use]
    pub fn has(&self, hash: &FileHash) -> bool {
        hash.0.len() == 32 && self.path(hash).is_file()
    }

    /// Returns the names of the files that are here, in no order.
    pub fn names(&self) -> impl Iterator<Item = FileHash> + use<> {
        let folders = std::fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let files =
            folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
        files.filter_map(|file| hash_of(file.file_name().to_str()?))
    }

    fn write(&self, temp: &Path, reader: &mut dyn Read) -> Result<Put, StoreError> {
        let failed = |source| StoreError::io("keeping an attachment", temp, source);
        let id: [u8; ID_BYTES] = random()?;
        let mut file = File::create(temp).map_err(failed)?;
        file.write_all(MAGIC).and_then(|()| file.write_all(&id)).map_err(failed)?;
        let (mut context, mut bytes) = (Context::new(&SHA256), 0_u64);
        for number in 0.. {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let limit = u64::try_from(CHUNK_BYTES).unwrap_or(0);
            reader.take(limit).read_to_end(&mut chunk).map_err(failed)?;
            bytes += u64::try_from(chunk.len()).unwrap_or(0);
            if bytes > FILE_BYTES_MAX {
                return Err(StoreError::Limit {
                    what: Limited::FileBytes,
                    found: bytes,
                    max: FILE_BYTES_MAX,
                });
            }
            context.update(&chunk);
            let kind = if chunk.len() < CHUNK_BYTES { LAST } else { MIDDLE };
            file.write_all(&self.keys.seal(place(&id, number, kind), &chunk)?).map_err(failed)?;
            if kind == LAST {
                break;
            }
        }
        file.sync_all().map_err(failed)?;
        Ok(Put { hash: FileHash(context.finish().as_ref().to_vec()), bytes })
    }

    /// Gives a whole file its name; one that is here already and reads stays.
    fn settle(&self, temp: &Path, put: Put) -> Result<Put, StoreError> {
        let path = self.path(&put.hash);
        let folder = path.parent().unwrap_or(self.home).to_path_buf();
        let failed = |source| StoreError::io("keeping an attachment", &path, source);
        if self.read_to(&put.hash, &mut std::io::sink()).is_ok() {
            std::fs::remove_file(temp).map_err(failed)?;
            return Ok(put);
        }
        std::fs::create_dir_all(&folder).map_err(failed)?;
        std::fs::rename(temp, &path).map_err(failed)?;
        crate::home::sync_folder(&folder)
            .and_then(|()| crate::home::sync_folder(&self.folder()))
            .map_err(failed)?;
        Ok(put)
    }

    fn folder(&self) -> PathBuf {
        self.home.join("blobs")
    }

    fn path(&self, hash: &FileHash) -> PathBuf {
        let hex = records::hex::of(&hash.0);
        self.folder().join(hex.get(..2).unwrap_or("00")).join(hex)
    }
}

/// Cuts a piece into sealed chunks' contents; the last piece of a file ends with one that is not full, empty if it must be.
fn chunks(bytes: &[u8], last: bool) -> impl Iterator<Item = &[u8]> {
    let empty = (last && bytes.len().is_multiple_of(CHUNK_BYTES)).then_some(&[][..]);
    bytes.chunks(CHUNK_BYTES).chain(empty)
}

fn hash_of(name: &str) -> Option<FileHash> {
    records::hex::read(name).filter(|bytes| bytes.len() == 32).map(FileHash)
}

fn sealed_bytes() -> u64 {
    u64::try_from(CHUNK_BYTES + SEAL_BYTES).unwrap_or(u64::MAX)
}

fn place(id: &[u8], number: u64, kind: u8) -> Place<'_> {
    Place { domain: Domain::Blob, key: id, seq: number, schema: kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Keys) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path()).unwrap();
        std::fs::create_dir(dir.path().join("blobs")).unwrap();
        (dir, keys)
    }

    fn photo(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn a_file_of_any_length_comes_back_and_equal_ones_are_kept_once() {
        let (dir, keys) = home();
        let blobs = Blobs { home: dir.path(), keys: &keys };
        for length in
            [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 4 * CHUNK_BYTES + 9]
        {
            let bytes = photo(length);
            let put = blobs.put(&mut bytes.as_slice()).unwrap();
            assert_eq!(put.bytes, length as u64);
            assert_eq!(blobs.get(&put.hash).unwrap(), bytes);
            assert_eq!(blobs.put(&mut bytes.as_slice()).unwrap(), put);
            assert!(blobs.has(&put.hash));
            assert_eq!(blobs.length(&put.hash), Some(put.bytes));
            let pieces = sync_protocol::asides::pieces(put.bytes);
            let joined: Vec<u8> = (0..pieces).flat_map(|n| blobs.piece(&put.hash, n).unwrap()).collect();
            assert_eq!(joined, bytes);
        }
        let strays = std::fs::read_dir(dir.path().join("blobs")).unwrap().flatten();
        assert_eq!(strays.filter(|entry| entry.path().is_file()).count(), 0);
    }

    #[test]
    fn a_damaged_file_is_told_and_putting_it_again_mends_it() {
        let (dir, keys) = home();
        let blobs = Blobs { home: dir.path(), keys: &keys };
        let bytes = photo(2 * CHUNK_BYTES);
        let put = blobs.put(&mut bytes.as_slice()).unwrap();
        let path = blobs.path(&put.hash);
        let whole = std::fs::read(&path).unwrap();
        let chunk = CHUNK_BYTES + SEAL_BYTES;
        for cut in [0, 3, 20, 20 + chunk, 20 + 2 * chunk, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(matches!(blobs.get(&put.hash), Err(StoreError::Damaged { .. })), "cut at {cut}");
        }
        for at in [0, 5, 30, 20 + chunk + 50, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(blobs.get(&put.hash), Err(StoreError::Damaged { .. })), "byte {at}");
        }
        blobs.put(&mut bytes.as_slice()).unwrap();
        assert_eq!(blobs.get(&put.hash).unwrap(), bytes);
    }

    #[test]
    fn a_file_that_comes_in_pieces_is_whole_with_the_last_one_wherever_it_was_cut() {
        let (dir, keys) = home();
        let blobs = Blobs { home: dir.path(), keys: &keys };
        for length in [1, CHUNK_BYTES, PIECE_BYTES, PIECE_BYTES + CHUNK_BYTES, 2 * PIECE_BYTES + 5] {
            let bytes = photo(length);
            let hash = sync_protocol::chain::sha256(&[&bytes]);
            let name = FileHash(hash.to_vec());
            let piece = |index: usize| Piece {
                hash,
                total: length as u64,
                index: u32::try_from(index).unwrap(),
                bytes: bytes.chunks(PIECE_BYTES).nth(index).unwrap().to_vec(),
            };
            let count = length.div_ceil(PIECE_BYTES);
            for index in 0..count {
                assert_eq!(blobs.received(&name), u32::try_from(index).unwrap());
                if index > 0 {
                    // The one before comes again, and a cut left the beginning of this one.
                    assert_eq!(blobs.take(&piece(index - 1)).unwrap(), Taken::More);
                    let mut file = File::options().append(true).open(blobs.coming(&name)).unwrap();
                    file.write_all(&[7; 100]).unwrap();
                }
                let taken = blobs.take(&piece(index)).unwrap();
                assert_eq!(taken, if index + 1 == count { Taken::Whole } else { Taken::More });
            }
            assert_eq!(blobs.get(&name).unwrap(), bytes);
            assert_eq!(blobs.received(&name), 0);
        }
        let torn =
            Piece { hash: [2; 32], total: 2 * PIECE_BYTES as u64, index: 1, bytes: vec![0; PIECE_BYTES] };
        let name = FileHash(vec![2; 32]);
        let long = usize::try_from(HEAD_BYTES + sealed_bytes() * CHUNKS_OF_PIECE).unwrap();
        std::fs::write(blobs.coming(&name), vec![7; long]).unwrap();
        assert_eq!((blobs.received(&name), blobs.take(&torn).unwrap()), (1, Taken::Wrong));
        assert_eq!(blobs.received(&name), 0, "it comes again");
        let wrong = Piece { hash: [1; 32], total: 3, index: 0, bytes: vec![1, 2, 3] };
        assert_eq!(blobs.take(&wrong).unwrap(), Taken::Wrong);
        assert!(!blobs.has(&FileHash(vec![1; 32])));
    }

    #[test]
    fn a_file_beyond_the_limit_leaves_nothing() {
        let (dir, keys) = home();
        let blobs = Blobs { home: dir.path(), keys: &keys };
        let mut endless = std::io::repeat(7);
        assert!(matches!(blobs.put(&mut endless), Err(StoreError::Limit { what: Limited::FileBytes, .. })));
        assert_eq!(std::fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0);
    }
}
