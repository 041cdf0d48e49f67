//! Attachments on headquarters' disk: whole files under their SHA-256, and those that are still coming.
//!
//! `files/ab/<sha256>` is whole, was checked against its name, and never changes: equal files are one.
//! `files/partial/<replica>-<sha256>` is coming; which of its pieces are on the disk is in the database.
//! A row never names bytes that are not there: bytes first, synced, then the row.
//!
//! Source: docs/OPERATIONS.md, Files.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use records::id::Replica;
use ring::digest::{Context, SHA256};
use sync_protocol::asides::{Chunk, Piece, piece_bytes};
use sync_protocol::limits::CHUNK_BYTES;

use crate::store::files::Hash;

/// The folder of a headquarters' files.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// Names the folder; nothing is made yet.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Returns the length of a file that is whole; `None` where it is not.
    #[must_use]
    pub fn length(&self, hash: &Hash) -> Option<u64> {
        if *hash == sync_protocol::chain::sha256(&[]) {
            return Some(0);
        }
        std::fs::metadata(self.whole(hash)).ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len())
    }

    /// Returns the whole files with their lengths, in no order.
    pub fn all(&self) -> impl Iterator<Item = (Hash, u64)> + use<> {
        let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
        let files = entries(&self.0).flat_map(move |folder| entries(&folder.path()));
        files.filter_map(|file| Some((named(file.file_name().to_str()?)?, file.metadata().ok()?.len())))
    }

    /// Opens a whole file.
    ///
    /// # Errors
    /// What the system says, [`std::io::ErrorKind::NotFound`] where it is not here.
    pub fn open(&self, hash: &Hash) -> std::io::Result<File> {
        File::open(self.whole(hash))
    }

    /// Returns a piece of a whole file; `None` where there is no such piece.
    ///
    /// # Errors
    /// What the system says.
    pub fn piece(&self, hash: &Hash, index: u32) -> std::io::Result<Option<Piece>> {
        let Some(total) = self.length(hash) else { return Ok(None) };
        let Some(length) = piece_bytes(total, index) else { return Ok(None) };
        let mut file = self.open(hash)?;
        file.seek(SeekFrom::Start(place(index)))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(Some(Piece { hash: *hash, total, index, bytes }))
    }

    /// Writes a piece into the file that is coming from a device; it is on the disk when this returns.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(&self, replica: Replica, chunk: &Chunk) -> std::io::Result<()> {
        let path = self.partial(replica, &chunk.hash);
        let fresh = !path.exists();
        if fresh {
            std::fs::create_dir_all(self.0.join("partial"))?;
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        file.seek(SeekFrom::Start(place(chunk.index)))?;
        file.write_all(&chunk.bytes)?;
        file.sync_data()?;
        if fresh {
            sync_folder(&self.0.join("partial"))?;
            sync_folder(&self.0)?;
        }
        Ok(())
    }

    /// Returns whether there is a file coming from a device.
    #[must_use]
    pub fn is_coming(&self, replica: Replica, hash: &Hash) -> bool {
        self.partial(replica, hash).is_file()
    }

    /// Gives a file of which every piece came its name; returns whether it is the one that was promised.
    /// One that is not is gone, and has to come again.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(&self, replica: Replica, hash: &Hash) -> std::io::Result<bool> {
        let (from, to) = (self.partial(replica, hash), self.whole(hash));
        if digest(&mut File::open(&from)?)? != *hash {
            std::fs::remove_file(&from)?;
            return Ok(false);
        }
        let folder = to.parent().unwrap_or(&self.0).to_owned();
        std::fs::create_dir_all(&folder)?;
        std::fs::rename(&from, &to)?;
        sync_folder(&folder)?;
        sync_folder(&self.0)?;
        Ok(true)
    }

    /// Removes what came of a file.
    pub fn discard(&self, replica: Replica, hash: &Hash) {
        // Not there is as good as removed; one that stays is written over when the file comes again.
        drop(std::fs::remove_file(self.partial(replica, hash)));
    }

    fn whole(&self, hash: &Hash) -> PathBuf {
        let name = records::hex::of(hash);
        self.0.join(name.get(..2).unwrap_or("00")).join(name)
    }

    fn partial(&self, replica: Replica, hash: &Hash) -> PathBuf {
        self.0.join("partial").join(format!("{}-{}", replica.0, records::hex::of(hash)))
    }
}

/// Returns SHA-256 of what a reader gives.
///
/// # Errors
/// What the reader says.
pub fn digest(reader: &mut dyn Read) -> std::io::Result<Hash> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        context.update(buffer.get(..n).unwrap_or_default());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Ok(hash)
}

/// Reads a hash as people write it.
#[must_use]
pub fn named(text: &str) -> Option<Hash> {
    records::hex::read(text)?.try_into().ok()
}

fn place(index: u32) -> u64 {
    u64::from(index) * u64::try_from(CHUNK_BYTES).unwrap_or(0)
}

/// Makes names in a folder survive a power cut.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Windows has no handle for folders that can be synced; its journal keeps renames in order.
    if cfg!(windows) { Ok(()) } else { File::open(folder)?.sync_all() }
}

#[cfg(test)]
mod tests {
    use sync_protocol::sign::Signer;

    use super::*;

    fn chunk(bytes: &[u8], index: u32) -> Chunk {
        let hash = sync_protocol::chain::sha256(&[bytes]);
        let piece = bytes.chunks(CHUNK_BYTES).nth(usize::try_from(index).unwrap()).unwrap();
        let total = u64::try_from(bytes.len()).unwrap();
        Chunk::sign(
            &Signer::from_seed(&[1; 32]).unwrap(),
            Piece { hash, total, index, bytes: piece.to_vec() },
        )
    }

    #[test]
    fn a_file_that_came_in_any_order_is_whole_and_reads_by_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::at(&folder.path().join("files"));
        let bytes: Vec<u8> = (0..300_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let hash = sync_protocol::chain::sha256(&[&bytes]);
        for index in [2, 0, 1] {
            files.put(Replica(7), &chunk(&bytes, index)).unwrap();
        }
        assert_eq!((files.length(&hash), files.is_coming(Replica(7), &hash)), (None, true));
        assert!(files.finish(Replica(7), &hash).unwrap());
        assert_eq!((files.length(&hash), files.is_coming(Replica(7), &hash)), (Some(300_000), false));
        assert_eq!(files.all().collect::<Vec<_>>(), [(hash, 300_000)]);
        let pieces: Vec<u8> =
            (0..4).filter_map(|n| files.piece(&hash, n).unwrap()).flat_map(|piece| piece.bytes).collect();
        assert_eq!(pieces, bytes);
        assert_eq!(files.length(&sync_protocol::chain::sha256(&[])), Some(0), "the empty file is everywhere");
    }

    #[test]
    fn a_file_that_is_not_what_its_name_promises_never_gets_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::at(folder.path());
        let mut lie = chunk(b"meter", 0);
        lie.bytes = b"Meter".to_vec();
        files.put(Replica(7), &lie).unwrap();
        assert!(!files.finish(Replica(7), &lie.hash).unwrap());
        assert_eq!(files.length(&lie.hash), None);
        assert!(!files.is_coming(Replica(7), &lie.hash));
    }
}
