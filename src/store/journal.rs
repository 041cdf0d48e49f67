//! The append-only file of own ops: once a frame is on the disk, what it holds is saved.
//!
//! One frame is one save, so a save is whole or not there.
//!
//! Source: docs/STORAGE.md, Journal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use records::id::Epoch;
use serde::{Deserialize, Serialize};
use sync_protocol::chain::{Link, Parent};

use crate::keys::Keys;
use crate::store::error::StoreError;
use crate::store::frame;
use crate::store::last::{Mark, Witness};
use crate::store::twin::{self, Twin};

/// A new file is begun beyond this length.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// One op as the device keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The canonical row bytes.
    #[serde(with = "serde_bytes")]
    pub row: Vec<u8>,
    /// The import key, which never leaves the device.
    pub local: Option<[u8; 16]>,
}

/// One save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The epoch of the ops.
    pub epoch: Epoch,
    /// Where the epoch hangs; stated with its first op.
    pub parent: Option<Parent>,
    /// The first op's seq.
    pub first: u64,
    /// The link before it.
    pub before: Link,
    /// Written under a clock set by hand.
    pub test_clock: bool,
    /// The ops, in order; none where only settings were put.
    pub ops: Vec<Logged>,
    /// Settings of this device that were put, by name.
    pub settings: Vec<(String, Vec<u8>)>,
}

/// A place in the journal: file number and offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Position {
    /// The file.
    pub file: u64,
    /// Bytes from its start.
    pub offset: u64,
}

/// Bytes that are no frame, between frames that are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Where they begin.
    pub at: Position,
    /// How many.
    pub bytes: u64,
}

/// What a stretch of the journal holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The frames that read and open, in file order, each with the position behind it.
    pub frames: Vec<(Frame, Position)>,
    /// What does not read; a tail that a kill or a power cut tore is none.
    pub gaps: Vec<Gap>,
    /// The journal ends before the position asked for: it lost what the database has.
    pub short: bool,
    /// Behind the last frame that reads.
    pub end: Position,
    /// How far the journal went, as its witness says.
    pub last: Option<Mark>,
}

/// The journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    end: Position,
    poisoned: bool,
    witness: Option<Witness>,
    twin: Twin,
}

impl Journal {
    /// Opens the journal, cuts a torn tail, and returns what stands at and behind `from`.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open(folder: &Path, keys: &Keys, from: Position) -> Result<(Self, Contents), StoreError> {
        let numbers = files(folder)?;
        let last = numbers.last().copied().unwrap_or(1);
        let mut contents = Contents::default();
        let gone = from > Position::default() && !numbers.contains(&from.file);
        if gone || length(folder, from.file)? < from.offset {
            // Whatever is left was written before the position or in its stead: what is known already changes nothing.
            contents = read_all(folder, keys)?;
            contents.short = true;
            // But of settings the database has the newer ones.
            contents.frames.retain(|(frame, at)| !frame.ops.is_empty() || *at > from);
        }
        let mut end = Position { file: last, offset: 0 };
        let short = contents.short;
        for file in numbers.into_iter().filter(|file| *file >= from.file && !short) {
            let offset = if file == from.file { from.offset } else { 0 };
            end.offset = read_file(folder, keys, Position { file, offset }, &mut contents)?;
        }
        contents.end = if short { end_of(folder, last)? } else { end };
        let mut witness = Witness::open(folder, keys);
        contents.last = witness.as_mut().and_then(Witness::read);
        if contents.short || contents.gaps.last().is_some_and(|gap| gap.at == end) {
            // What was on the disk and does not read is no torn tail: it stays, and writing goes on in a new file.
            end = Position { file: last.max(from.file) + 1, offset: 0 };
        }
        let path = file_path(folder, end.file);
        let fresh = !path.exists();
        let file = append_to(&path)?;
        let failed = |source| StoreError::io("cutting the journal's torn tail", &path, source);
        if fresh {
            crate::home::sync_folder(folder).map_err(failed)?;
        }
        if file.metadata().map_err(failed)?.len() > end.offset {
            file.set_len(end.offset).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let (folder, twin) = (folder.to_path_buf(), Twin::of(folder));
        Ok((Self { folder, file, end, poisoned: false, witness, twin }, contents))
    }

    /// Returns the position behind the last frame.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end
    }

    /// Appends one save and returns only when it is on the disk.
    ///
    /// # Errors
    /// [`StoreError::Limit`] for a save beyond [`frame::FRAME_BYTES_MAX`]; [`StoreError::NoSpace`], where the file was cut back;
    /// [`StoreError::ReadOnly`] where the disk failed twice.
    pub fn append(&mut self, keys: &Keys, frame: &Frame) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::ReadOnly);
        }
        let bytes = frame::write(keys, frame)?;
        if self.end.offset >= file_bytes_max() {
            self.next_file()?;
        }
        if let Err(source) = self.file.write_all(&bytes) {
            self.cut_back()?;
            return Err(StoreError::io("saving", &file_path(&self.folder, self.end.file), source));
        }
        if self.file.sync_data().is_err() {
            // The kernel may have dropped the pages: a second try on the same descriptor would lie.
            self.poisoned = true;
            self.next_file()?;
            let again = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
            again.map_err(|_| StoreError::ReadOnly)?;
            self.poisoned = false;
        }
        self.twin.write(self.end.file, self.end.offset, &bytes);
        self.end.offset += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(witness) = &mut self.witness {
            witness.write(Mark { epoch: frame.epoch, seq: frame.last(), at: self.end });
        }
        Ok(())
    }

    /// Lets go of the second copy of what was saved: a checkpoint made it durable elsewhere.
    pub fn checkpointed(&mut self) {
        self.twin.let_go();
    }

    /// Removes the files before `number`; what they held is in HQ's and the database's keeping.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn trim_before(&self, number: u64) -> Result<(), StoreError> {
        for old in files(&self.folder)?.into_iter().filter(|old| *old < number.min(self.end.file)) {
            let path = file_path(&self.folder, old);
            std::fs::remove_file(&path).map_err(|source| StoreError::io("trimming", &path, source))?;
        }
        crate::home::sync_folder(&self.folder)
            .map_err(|source| StoreError::io("trimming", &self.folder, source))
    }

    fn next_file(&mut self) -> Result<(), StoreError> {
        let path = file_path(&self.folder, self.end.file + 1);
        self.file = append_to(&path)?;
        crate::home::sync_folder(&self.folder)
            .map_err(|source| StoreError::io("beginning a journal file", &path, source))?;
        self.end = Position { file: self.end.file + 1, offset: 0 };
        Ok(())
    }

    fn cut_back(&mut self) -> Result<(), StoreError> {
        if self.file.set_len(self.end.offset).is_err() {
            self.poisoned = true;
            return Err(StoreError::ReadOnly);
        }
        Ok(())
    }
}

/// Reads a whole journal without changing it.
///
/// # Errors
/// [`StoreError::Io`].
pub fn read_all(folder: &Path, keys: &Keys) -> Result<Contents, StoreError> {
    let mut contents = Contents::default();
    for file in files(folder)? {
        read_one(folder, keys, file, &mut contents)?;
    }
    Ok(contents)
}

/// Reads one file of a journal without changing it.
///
/// # Errors
/// [`StoreError::Io`].
pub fn read_one(folder: &Path, keys: &Keys, file: u64, contents: &mut Contents) -> Result<(), StoreError> {
    read_file(folder, keys, Position { file, offset: 0 }, contents).map(|_| ())
}

/// Returns the numbers of the journal's files, rising.
///
/// # Errors
/// [`StoreError::Io`].
pub fn files(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let failed = |source| StoreError::io("listing the journal", folder, source);
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn file_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

fn end_of(folder: &Path, file: u64) -> Result<Position, StoreError> {
    Ok(Position { file, offset: length(folder, file)? })
}

fn length(folder: &Path, number: u64) -> Result<u64, StoreError> {
    let path = file_path(folder, number);
    match std::fs::metadata(&path) {
        Ok(meta) => Ok(meta.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(source) => Err(StoreError::io("reading the journal", &path, source)),
    }
}

fn file_bytes_max() -> u64 {
    #[cfg(feature = "simulated")]
    if let Some(bytes) = crate::simulated::journal_file_bytes() {
        return bytes;
    }
    FILE_BYTES_MAX
}

fn append_to(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|source| StoreError::io("opening the journal", path, source))
}

/// Reads the frames of one file from an offset and returns the length up to which it is good itself.
fn read_file(folder: &Path, keys: &Keys, from: Position, contents: &mut Contents) -> Result<u64, StoreError> {
    let path = file_path(folder, from.file);
    let failed = |source| StoreError::io("reading the journal", &path, source);
    let mut bytes = Vec::new();
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(from.offset)).map_err(failed)?;
    file.read_to_end(&mut bytes).map_err(failed)?;
    let twin = twin::read(folder, from.file, from.offset);
    let place = |at: usize| Position {
        file: from.file,
        offset: from.offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)),
    };
    let gap = |from: usize, to: usize| Gap { at: place(from), bytes: place(to).offset - place(from).offset };
    let (mut at, mut good, mut of_twin) = (0, 0, 0);
    while at < bytes.len().max(twin.len()) {
        let (own, other) = (behind(&bytes, at), behind(&twin, at));
        if let Some((frame, size)) = frame::read(keys, own) {
            contents.gaps.extend((at > good).then(|| gap(good, at)));
            at += size;
            good = at;
            contents.frames.push((frame, place(at)));
        } else if let Some((frame, size)) = frame::read(keys, other) {
            // The twin has what does not read here, at the same place; the gap is told all the same.
            at += size;
            of_twin = at;
            contents.frames.push((frame, place(at)));
        } else {
            // Resynchronise on the next magic: one damaged frame takes no other with it.
            let next = [own, other].into_iter().filter_map(frame::next).min();
            #[cfg(feature = "simulated")]
            let next = next.filter(|_| !crate::simulated::stops_at_damage());
            at = next.map_or(usize::MAX, |next| at + next);
        }
    }
    let end = bytes.len().max(of_twin);
    if of_twin > good || !frame::is_torn(behind(&bytes, good)) {
        contents.gaps.push(gap(good, end));
    }
    Ok(place(good).offset)
}

fn behind(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

impl Frame {
    /// Returns the bytes of the rows.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bytes: usize = self.ops.iter().map(|op| op.row.len()).sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Returns the last op's seq.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.ops.len()).unwrap_or(u64::MAX)).saturating_sub(1)
    }

    /// Returns the link after the last op.
    #[must_use]
    pub fn after(&self) -> Link {
        self.ops.iter().fold(self.before, |link, op| link.next(&op.row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u64, before: Link) -> Frame {
        let ops = vec![Logged { row: vec![7; 40], local: None }];
        Frame { epoch: Epoch(9), parent: None, first, before, test_clock: false, ops, settings: Vec::new() }
    }

    /// A journal of `n` frames and where each ends.
    fn written(n: u64) -> (tempfile::TempDir, Keys, Vec<u64>) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path()).unwrap();
        let folder = dir.path().join("journal");
        std::fs::create_dir(&folder).unwrap();
        let (mut journal, _) = Journal::open(&folder, &keys, Position::default()).unwrap();
        let (mut link, mut ends) = (Link::ROOT, Vec::new());
        for seq in 1..=n {
            let frame = frame(seq, link);
            link = frame.after();
            journal.append(&keys, &frame).unwrap();
            ends.push(journal.end().offset);
        }
        // What follows is about the journal alone.
        Twin::of(&folder).let_go();
        (dir, keys, ends)
    }

    fn seqs(contents: &Contents) -> Vec<u64> {
        contents.frames.iter().map(|(frame, _)| frame.first).collect()
    }

    #[test]
    fn a_file_cut_at_any_byte_keeps_every_frame_that_was_whole() {
        let (dir, keys, ends) = written(3);
        let folder = dir.path().join("journal");
        let path = file_path(&folder, 1);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (journal, contents) = Journal::open(&folder, &keys, Position::default()).unwrap();
            let kept = ends.iter().filter(|end| **end <= cut as u64).count();
            assert_eq!(contents.frames.len(), kept, "cut at {cut}");
            assert_eq!(journal.end().offset, kept.checked_sub(1).map_or(0, |last| ends[last]));
            assert_eq!(std::fs::metadata(&path).unwrap().len(), journal.end().offset);
        }
    }

    #[test]
    fn a_flipped_byte_takes_one_frame_and_is_told() {
        let (dir, keys, ends) = written(3);
        let folder = dir.path().join("journal");
        let path = file_path(&folder, 1);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let contents = read_all(&folder, &keys).unwrap();
            let hit = 1 + ends.iter().filter(|end| **end <= at as u64).count() as u64;
            let left: Vec<u64> = (1..=3).filter(|seq| *seq != hit).collect();
            assert_eq!(seqs(&contents), left, "byte {at}");
            let longer = (ends[1] + 4..ends[1] + 8).contains(&(at as u64)) && bytes[at] > whole[at];
            assert_eq!(contents.gaps.len(), usize::from(!longer || at as u64 == ends[1] + 7), "byte {at}");
        }
    }

    #[test]
    fn a_damaged_last_frame_is_no_torn_tail_and_stays_on_the_disk() {
        let (dir, keys, ends) = written(3);
        let folder = dir.path().join("journal");
        let path = file_path(&folder, 1);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[usize::try_from(ends[1]).unwrap() + 40] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let (mut journal, contents) = Journal::open(&folder, &keys, Position::default()).unwrap();
        assert_eq!((seqs(&contents), contents.gaps.len()), (vec![1, 2], 1));
        journal.append(&keys, &frame(3, Link::ROOT)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "not cut");
        assert_eq!(seqs(&read_all(&folder, &keys).unwrap()), [1, 2, 3]);
    }

    #[test]
    fn reading_from_a_position_gives_what_stands_behind_it() {
        let (dir, keys, ends) = written(3);
        let folder = dir.path().join("journal");
        let from = Position { file: 1, offset: ends[0] };
        let (journal, contents) = Journal::open(&folder, &keys, from).unwrap();
        assert_eq!(seqs(&contents), [2, 3]);
        assert_eq!(journal.end().offset, ends[2]);
    }
}
