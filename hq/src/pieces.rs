//! Files between devices and headquarters: pieces come up and are kept one by one, pieces go down to who may see them.
//!
//! Source: docs/PROTOCOL.md, Files.

use std::collections::BTreeMap;
use std::sync::Arc;

use records::id::DocId;
use sync_protocol::asides::{Chunk, FileHave, FileHeld, FileWant, Tell, pieces};
use sync_protocol::limits::{CHUNK_BYTES, FILE_BYTES_MAX, LISTED_MAX};

use crate::intake::desk::Desk;
use crate::session::{Office, SessionError};
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::store::files::{Hash, Pieces};

/// Bytes of pieces in one answer; more is asked for again.
const ANSWER_BYTES_MAX: usize = 8 * CHUNK_BYTES;

/// What became of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is here, or the disk did not take it: then it stays missing.
    Yes,
    /// The device has left as much as one may in a day.
    Beyond,
}

/// Keeps a piece, whose signature was checked: its bytes are on the disk, then it is noted; with the last one the
/// file gets its name. A disk that does not take it costs the piece and nothing else: it stays missing.
///
/// # Errors
/// [`SessionError::Store`], [`SessionError::NotKept`].
pub(crate) fn take(office: &Office, device: &Device, chunk: &Chunk) -> Result<Kept, SessionError> {
    let (branch, replica, hash) = (device.branch, device.replica, chunk.hash);
    let (total, index, now) = (chunk.total, chunk.index, office.clock.now_ms());
    if office.files.length(&hash).is_some() {
        return Ok(Kept::Yes);
    }
    let (porter, bytes) = (Arc::clone(&office.porter), chunk.bytes.len());
    if !office.writer.run(move |desk| desk.leaves(replica, bytes, &porter, now))?? {
        return Ok(Kept::Beyond);
    }
    if office.files.put(replica, chunk).is_err() {
        return Ok(Kept::Yes);
    }
    let missing = office.writer.run(move |desk| {
        let known = desk.store.pieces(branch, replica, &hash)?.filter(|known| known.total == total);
        let mut known = known.unwrap_or_else(|| Pieces::none(total));
        known.note(index);
        for old in desk.store.pieces_put(branch, replica, &hash, &known, now)? {
            desk.files.discard(replica, &old);
        }
        Ok::<_, StoreError>(known.missing())
    })??;
    if missing.is_empty()
        && let Ok(whole) = office.files.finish(replica, &hash)
    {
        office.writer.run(move |desk| {
            // One that is not what its name promises is still asked for.
            if whole {
                desk.store.file_came(&hash)?;
            }
            desk.store.pieces_forget(branch, replica, &hash)
        })??;
    }
    Ok(Kept::Yes)
}

impl Desk {
    /// Returns what is missing of files that a device holds or names; nothing is, where the file is whole here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held(&mut self, device: &Device, have: &[FileHave]) -> Result<Option<Tell>, StoreError> {
        let mut held = BTreeMap::new();
        let sound = have.iter().filter(|have| have.total <= FILE_BYTES_MAX);
        for FileHave { hash, total } in sound.take(LISTED_MAX) {
            held.insert(*hash, self.lacking(device, hash, *total)?);
        }
        let held: Vec<FileHeld> =
            held.into_iter().map(|(hash, missing)| FileHeld { hash, missing }).collect();
        Ok(if held.is_empty() { None } else { Some(Tell::Held(held)) })
    }

    fn lacking(&mut self, device: &Device, hash: &Hash, total: u64) -> Result<Vec<(u32, u32)>, StoreError> {
        if self.files.length(hash).is_some() {
            // Somebody else's copy was sooner.
            self.store.file_came(hash)?;
            self.files.discard(device.replica, hash);
            self.store.pieces_forget(device.branch, device.replica, hash)?;
            return Ok(Vec::new());
        }
        let known = self.store.pieces(device.branch, device.replica, hash)?;
        let here = known.filter(|known| known.total == total && self.files.is_coming(device.replica, hash));
        let missing = here.unwrap_or_else(|| Pieces::none(total)).missing();
        if !missing.is_empty() {
            return Ok(missing);
        }
        // Every piece came and the file has no name: a power cut was between, or the disk was full.
        let whole = total > 0 && self.files.finish(device.replica, hash).unwrap_or(false);
        self.store.pieces_forget(device.branch, device.replica, hash)?;
        if whole {
            self.store.file_came(hash)?;
        }
        Ok(if whole { Vec::new() } else { vec![(0, pieces(total).max(1))] })
    }

    /// Returns pieces of files that a device asks for, as many as fit one answer, and a word on those that are not
    /// here. What it may not see is answered as if it were not here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pieces(&mut self, device: &Device, wants: &[FileWant]) -> Result<Vec<Tell>, StoreError> {
        let (mut tells, mut absent, mut bytes) = (Vec::new(), Vec::new(), 0);
        for want in wants.iter().take(LISTED_MAX) {
            if bytes >= ANSWER_BYTES_MAX {
                break;
            }
            if self.files.length(&want.hash).is_none() || !self.may_have(device, want.doc, &want.hash)? {
                absent.push(FileHeld { hash: want.hash, missing: vec![(0, 1)] });
                continue;
            }
            for index in want.from..want.from.saturating_add(want.count) {
                // A file that does not read is one that is not here.
                let Ok(Some(piece)) = self.files.piece(&want.hash, index) else { break };
                bytes += piece.bytes.len();
                if bytes > ANSWER_BYTES_MAX {
                    break;
                }
                tells.push(Tell::Piece(piece));
            }
        }
        if !absent.is_empty() {
            tells.push(Tell::Held(absent));
        }
        Ok(tells)
    }

    /// Returns what headquarters asks of a device: files that somebody wants to see.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn wanted(&self, device: &Device) -> Result<Option<Tell>, StoreError> {
        let mut asked = self.store.files_asked(device.branch, device.replica)?;
        asked.truncate(LISTED_MAX);
        Ok(if asked.is_empty() { None } else { Some(Tell::Wanted(asked)) })
    }

    /// Returns whether a device may see a document, and the document names the file.
    fn may_have(&mut self, device: &Device, doc: DocId, hash: &Hash) -> Result<bool, StoreError> {
        let Some(home) = self.home(doc.0.replica)? else {
            return Ok(false);
        };
        let Some(known) = self.store.known(home, doc)? else {
            return Ok(false);
        };
        let own = doc.0.replica == device.replica;
        let concerned = device.staff.is_some_and(|staff| known.people.contains(&staff));
        let overseen = known.scope == 0 || self.oversees(device)? == Some(known.scope);
        if !(own || concerned || overseen) {
            return Ok(false);
        }
        let document = self.store.document(home, doc)?;
        Ok(document
            .is_some_and(|document| crate::reading::files(&document).iter().any(|named| named.hash == *hash)))
    }
}
