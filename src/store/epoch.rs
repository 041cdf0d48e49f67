//! Whether this opening may go on writing under the last epoch's name, or must take a new one.
//!
//! A kill goes on; a boot, a copy, another machine and a restored home do not.
//!
//! Source: docs/STORAGE.md, Epochs; docs/PROTOCOL.md, Chain, signature, copies.

use std::fs::{File, OpenOptions};
use std::path::Path;

use records::id::Epoch;
use serde::{Deserialize, Serialize};
use sync_protocol::chain::Parent;

use crate::clock::Now;
use crate::keys::Keys;
use crate::store::error::{Part, StoreError};
use crate::store::state::End;

const HEAD: &str = "head";
/// Where a home was made: before its first save nothing else tells it from a copy.
const MADE: &str = "made";
const TOKEN_BYTES: usize = 28;

/// The last epoch that was opened in this home, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The epoch.
    pub epoch: Epoch,
    /// Where it hangs.
    pub parent: Option<Parent>,
    /// The boot in which it was opened.
    pub boot: u32,
    /// The machine and the folder.
    pub fingerprint: [u8; 16],
    /// Numbers wait for HQ since this epoch or an earlier one. Here and not only in the database, which hears of it late.
    pub numbers_wait: bool,
}

/// What an opening finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The same machine, folder and boot: the epoch goes on.
    Continues,
    /// The first epoch of a new home.
    First,
    /// The same home after a boot: a new epoch, and nothing else changes.
    Rebooted,
    /// A copy, another machine or a restored home: a new epoch, and numbers wait for HQ.
    Elsewhere,
}

/// Reads the head; `None` before the first write.
///
/// # Errors
/// [`StoreError::Damaged`] where neither copy reads.
pub fn read_head(home: &Path) -> Result<Option<Head>, StoreError> {
    let Some(bytes) = crate::home::read_twin(home, HEAD)? else {
        return Ok(None);
    };
    let head = postcard::from_bytes(&bytes).map_err(|_| StoreError::damaged(Part::Head, home))?;
    Ok(Some(head))
}

/// Writes the head, and returns only when it is on the disk.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn write_head(home: &Path, head: &Head) -> Result<(), StoreError> {
    crate::home::write_twin(home, HEAD, &postcard::to_allocvec(head).unwrap_or_default())
}

/// Notes that the home was made here, on this machine and in this folder.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn note_made(home: &Path) -> Result<(), StoreError> {
    crate::home::write_twin(&home.join("id"), MADE, &crate::home::fingerprint(home))
}

fn was_made_here(home: &Path) -> bool {
    let made = crate::home::read_twin(&home.join("id"), MADE).ok().flatten();
    made.is_some_and(|made| made == crate::home::fingerprint(home))
}

/// Decides, from what lies on the disk and in memory, how this opening stands to the last one.
#[must_use]
pub fn judge(head: Option<&Head>, own: Option<End>, home: &Path, keys: &Keys, now: Now) -> Opening {
    let Some(head) = head else {
        return if own.is_none() && was_made_here(home) { Opening::First } else { Opening::Elsewhere };
    };
    if head.fingerprint != crate::home::fingerprint(home) {
        return Opening::Elsewhere;
    }
    if now.boot == 0 || head.boot != now.boot {
        return Opening::Rebooted;
    }
    let Some(own) = own.filter(|own| own.epoch == head.epoch) else {
        // The head was written and no op followed: the name was never used, and why it was drawn still holds.
        let unused = head.parent == own.map(End::as_parent);
        return if unused && !head.numbers_wait { Opening::Rebooted } else { Opening::Elsewhere };
    };
    match Token::open(home, keys) {
        // No folder that a boot empties: the boot's name, which agrees, has to do.
        None => Opening::Continues,
        Some(token) => match token.read() {
            Some((boot, epoch, seq)) if boot == now.boot && epoch == head.epoch && seq <= own.seq => {
                Opening::Continues
            }
            _ => Opening::Elsewhere,
        },
    }
}

/// What lies in the folder that a boot empties: the last seq written, never synced.
#[derive(Debug)]
pub struct Token {
    file: File,
    home: [u8; 8],
}

impl Token {
    /// Opens the token's file; `None` where the machine has no such folder.
    #[must_use]
    pub fn open(home: &Path, keys: &Keys) -> Option<Self> {
        let path = crate::home::token_path(home)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).ok()?;
        Some(Self { file, home: keys.home_id() })
    }

    /// Notes the last op written.
    pub fn write(&mut self, boot: u32, epoch: Epoch, seq: u64) {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend_from_slice(&self.home);
        bytes.extend_from_slice(&boot.to_le_bytes());
        bytes.extend_from_slice(&epoch.0.to_le_bytes());
        bytes.extend_from_slice(&seq.to_le_bytes());
        let [a, b, c, d, ..] = sync_protocol::chain::sha256(&[&bytes]);
        bytes.extend_from_slice(&[a, b, c, d]);
        // A token that could not be written is one that does not agree: the next opening takes a new epoch.
        let _ = write_at_start(&mut self.file, &bytes);
    }

    /// Returns boot, epoch and seq; `None` where it is not this home's token.
    fn read(mut self) -> Option<(u32, Epoch, u64)> {
        let mut bytes = [0; TOKEN_BYTES];
        std::io::Read::read_exact(&mut self.file, &mut bytes).ok()?;
        let (body, check) = bytes.split_at(TOKEN_BYTES - 4);
        let hash = sync_protocol::chain::sha256(&[body]);
        let rest = body.strip_prefix(&self.home).filter(|_| hash.starts_with(check))?;
        let (boot, rest) = rest.split_first_chunk::<4>()?;
        let (epoch, seq) = rest.split_first_chunk::<4>()?;
        let seq = u64::from_le_bytes(seq.try_into().ok()?);
        Some((u32::from_le_bytes(*boot), Epoch(u32::from_le_bytes(*epoch)), seq))
    }
}

fn write_at_start(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::{Seek, Write};
    file.rewind()?;
    file.write_all(bytes)
}
