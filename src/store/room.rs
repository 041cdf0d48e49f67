//! Room on the disk: what a save has to leave free, when the reserve is given up, and when it is written again.
//!
//! Source: docs/STORAGE.md, Space.

use std::path::Path;

use crate::home::{RESERVE_BYTES, SAVE_BYTES_MIN, SYNC_BYTES_MIN};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::journal::Frame;

const RESERVE: &str = "reserve.bin";
/// What a save takes for each of its bytes at most: in the journal, in the database, and when it is sent.
const COPIES: u64 = 4;

impl Store {
    /// Sees to it that a save leaves the room that opening and syncing take, from the reserve if it must be.
    /// Once that is gone, the disk has to have room for new work before any is taken.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`]; nothing is written then.
    pub(in crate::store) fn make_room(&self, frame: &Frame) -> Result<(), StoreError> {
        if !has_reserve(&self.home) {
            crate::home::require_space(&self.home, SAVE_BYTES_MIN)?;
            write_reserve(&self.home)?;
        }
        let needed = SYNC_BYTES_MIN.saturating_add(frame.bytes().saturating_mul(COPIES));
        match crate::home::free_bytes(&self.home) {
            Some(free) if free >= needed => Ok(()),
            Some(free) if free + RESERVE_BYTES >= needed && self.give_up_reserve() => Ok(()),
            Some(free) => Err(StoreError::NoSpace { needed, free }),
            None => Ok(()),
        }
    }

    /// Gives the reserve's room to the work in hand; returns whether there was any.
    pub(in crate::store) fn give_up_reserve(&self) -> bool {
        give_up_reserve(&self.home)
    }
}

/// Gives the reserve up where fewer than `needed` bytes are free: a database that met a full disk refuses everything
/// from then on. Where there is room again, the reserve is written again.
pub(in crate::store) fn before_database(home: &Path, needed: u64) {
    let Some(free) = crate::home::free_bytes(home) else {
        return;
    };
    if free < needed {
        give_up_reserve(home);
    } else if free >= SAVE_BYTES_MIN && !has_reserve(home) {
        // A save asks for it again and says so.
        drop(write_reserve(home));
    }
}

/// Writes the reserve: random bytes, so that no file system folds them into nothing.
///
/// # Errors
/// [`StoreError::NoSpace`], [`StoreError::Io`], [`StoreError::Key`].
pub(in crate::store) fn write_reserve(home: &Path) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for _ in 0..RESERVE_BYTES / 4096 {
        bytes.extend_from_slice(&crate::keys::random::<4096>()?);
    }
    crate::home::write_whole(&home.join(RESERVE), &bytes)
}

fn has_reserve(home: &Path) -> bool {
    home.join(RESERVE).exists()
}

fn give_up_reserve(home: &Path) -> bool {
    std::fs::remove_file(home.join(RESERVE)).is_ok()
}
