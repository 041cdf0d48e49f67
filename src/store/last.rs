//! The journal's witness: `journal/last` says how far the journal went, in place and never synced.
//!
//! A journal that lost its end looks like one that never had it. The witness is written behind each save, so after a
//! kill or a power cut it says less than the journal or nothing; where it says more, saves are gone and are told.
//!
//! Source: docs/STORAGE.md, Journal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use records::id::Epoch;
use serde::{Deserialize, Serialize};

use crate::keys::Keys;
use crate::store::journal::Position;

const NAME: &str = "last";
const MARK_BYTES: usize = 8 + 4 + 8 + 8 + 8;
const CHECK_BYTES: usize = 4;

/// The end of a journal: its last op and the place behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The epoch.
    pub epoch: Epoch,
    /// The last op.
    pub seq: u64,
    /// The place behind the last frame.
    pub at: Position,
}

/// The open witness.
#[derive(Debug)]
pub struct Witness {
    file: File,
    home: [u8; 8],
}

impl Witness {
    /// Opens the witness of a journal; `None` where the disk has no room for it.
    #[must_use]
    pub fn open(journal: &Path, keys: &Keys) -> Option<Self> {
        let path = journal.join(NAME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).ok()?;
        Some(Self { file, home: keys.home_id() })
    }

    /// Notes the end of the journal.
    pub fn write(&mut self, mark: Mark) {
        let mut bytes = Vec::with_capacity(MARK_BYTES + CHECK_BYTES);
        bytes.extend_from_slice(&self.home);
        bytes.extend_from_slice(&mark.epoch.0.to_le_bytes());
        for number in [mark.seq, mark.at.file, mark.at.offset] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let [a, b, c, d, ..] = sync_protocol::chain::sha256(&[&bytes]);
        bytes.extend_from_slice(&[a, b, c, d]);
        // One that could not be written says less than the journal, and so nothing.
        drop(self.file.rewind().and_then(|()| self.file.write_all(&bytes)));
    }

    /// Returns what was noted; `None` where nothing was, or it does not read.
    pub fn read(&mut self) -> Option<Mark> {
        let mut bytes = [0; MARK_BYTES + CHECK_BYTES];
        self.file.rewind().and_then(|()| self.file.read_exact(&mut bytes)).ok()?;
        let (body, check) = bytes.split_at(MARK_BYTES);
        let hash = sync_protocol::chain::sha256(&[body]);
        let rest = body.strip_prefix(&self.home).filter(|_| hash.starts_with(check))?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (file, offset) = rest.split_first_chunk::<8>()?;
        let at =
            Position { file: u64::from_le_bytes(*file), offset: u64::from_le_bytes(offset.try_into().ok()?) };
        Some(Mark { epoch: Epoch(u32::from_le_bytes(*epoch)), seq: u64::from_le_bytes(*seq), at })
    }
}
