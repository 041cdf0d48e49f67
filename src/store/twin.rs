//! The journal's twin: what was saved since the last checkpoint stands a second time beside the journal, unsynced.
//!
//! Until a checkpoint a save stands in no other file, so a turned bit would cost it. The twin of `00000001.log` is
//! `00000001.twin`: the same frames at the same offsets and nothing before them. It is written behind the sync of a
//! save, so it never says more than was acknowledged, and costs no sync of its own: a power cut may take it, the
//! journal stays.
//!
//! Source: docs/STORAGE.md, Journal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const EXTENSION: &str = "twin";

/// The open twin of a journal.
#[derive(Debug)]
pub struct Twin {
    folder: PathBuf,
    /// The file that is written, by its number.
    open: Option<(u64, File)>,
}

impl Twin {
    /// Returns the twin of the journal in a folder; nothing is opened before there is something to write.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), open: None }
    }

    /// Writes a frame where the journal has it. Where that fails, the save stands once, as it did without a twin.
    pub fn write(&mut self, number: u64, offset: u64, frame: &[u8]) {
        let open = self.open.take().filter(|(open, _)| *open == number);
        let file = open.map(|(_, file)| file).or_else(|| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).open(path(&self.folder, number)).ok()
        });
        let Some(mut file) = file else { return };
        let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(frame));
        self.open = written.is_ok().then_some((number, file));
    }

    /// Lets go of every twin: what they hold is durable in the database.
    pub fn let_go(&mut self) {
        self.open = None;
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for file in
            entries.map(|entry| entry.path()).filter(|file| file.extension() == Some(EXTENSION.as_ref()))
        {
            // One that stays says again what is known.
            drop(std::fs::remove_file(file));
        }
    }
}

/// Returns the bytes of a journal file's twin from an offset on; none where there is no twin, or it does not read.
#[must_use]
pub fn read(folder: &Path, number: u64, offset: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = File::open(path(folder, number)).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_ok() { bytes } else { Vec::new() }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.{EXTENSION}"))
}
