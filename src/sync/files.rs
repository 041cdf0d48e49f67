//! Files within a sync: the device names what waits, HQ says which pieces it lacks, and only those go.
//!
//! Nothing of this is remembered between two syncs: HQ knows what it holds, and is asked before anything goes again.
//! So no piece that HQ has kept is sent twice, wherever the line was cut.
//!
//! Source: docs/PROTOCOL.md, Files.

use std::collections::{BTreeMap, BTreeSet};

use records::value::FileHash;
use sync_protocol::asides::{Ask, Chunk, FileHave, FileHeld, Piece, Tell, piece_bytes};

use crate::blobs::Blobs;
use crate::clock::Now;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::Hash;

/// Files that are on their way at a time.
const FILES_AT_A_TIME: usize = 64;
/// Pieces of one request while the line holds: 1 MiB is well worth a round trip.
const PIECES_MAX: usize = 8;
/// Requests that come through before one more piece is tried after a line was cut.
const GOOD_ROUNDS: u32 = 32;
/// What stands around a piece in a request.
const AROUND_BYTES: usize = 256;

/// The files of one sync.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Pieces that HQ lacks of files that wait, as it said since the last break; runs of (first, count).
    lacking: BTreeMap<Hash, Vec<(u32, u32)>>,
    /// Pieces in the request under way.
    flying: Vec<(Hash, u32)>,
    /// Pieces in a request whose answer never came.
    lost: Vec<(Hash, u32)>,
    /// How many pieces one request takes.
    window: usize,
    /// Requests with pieces that were answered since the window changed.
    good: u32,
    /// Files here that do not read: `doctor` names them, the others go on.
    unreadable: BTreeSet<Hash>,
    /// Files that HQ got whole.
    pub(super) sent: u64,
}

/// Whether anything came nearer its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// It did.
    Yes,
    /// It did not: asking the same again would change nothing.
    No,
}

impl Exchange {
    /// Begins; nothing is known of what HQ holds.
    pub(super) fn new() -> Self {
        Self {
            lacking: BTreeMap::new(),
            flying: Vec::new(),
            lost: Vec::new(),
            window: PIECES_MAX,
            good: 0,
            unreadable: BTreeSet::new(),
            sent: 0,
        }
    }

    /// Returns what goes into the next request. Pieces wait until all records are sent, for which `room` is `None`;
    /// else it is the bytes that they may take.
    pub(super) fn asks(&mut self, store: &Store, room: Option<usize>) -> Result<Vec<Ask>, StoreError> {
        let mut asks = Vec::new();
        let waiting = store.files_waiting(FILES_AT_A_TIME)?;
        let unknown = waiting.iter().filter(|(_, hash)| !self.lacking.contains_key(hash));
        let length = |hash: &Hash| Blobs::of(store).length(&FileHash(hash.to_vec())).unwrap_or(0);
        let have: Vec<FileHave> =
            unknown.map(|(_, hash)| FileHave { hash: *hash, total: length(hash) }).collect();
        if !have.is_empty() {
            asks.push(Ask::Have(have));
        }
        if let Some(room) = room {
            let order: Vec<Hash> = waiting.into_iter().map(|(_, hash)| hash).collect();
            asks.extend(self.pieces(store, &order, room)?.into_iter().map(Ask::Chunk));
        }
        Ok(asks)
    }

    fn pieces(&mut self, store: &Store, order: &[Hash], mut room: usize) -> Result<Vec<Chunk>, StoreError> {
        let signer = store.signer()?;
        let blobs = Blobs::of(store);
        let mut chunks = Vec::new();
        for hash in order {
            let name = FileHash(hash.to_vec());
            let total = blobs.length(&name).unwrap_or(0);
            let known = self.lacking.get(hash).filter(|_| !self.unreadable.contains(hash));
            let runs = known.map(Vec::as_slice).unwrap_or_default();
            for index in runs.iter().flat_map(|(first, count)| *first..first.saturating_add(*count)) {
                let Some(length) = piece_bytes(total, index) else { break };
                if chunks.len() >= self.window || length + AROUND_BYTES > room {
                    return Ok(chunks);
                }
                let Some(bytes) = blobs.piece(&name, index).ok().filter(|bytes| bytes.len() == length) else {
                    self.unreadable.insert(*hash);
                    break;
                };
                room -= length + AROUND_BYTES;
                self.flying.push((*hash, index));
                chunks.push(Chunk::sign(&signer, Piece { hash: *hash, total, index, bytes }));
            }
        }
        Ok(chunks)
    }

    /// Notes that a request's answer never came: what HQ holds has to be asked again.
    pub(super) fn lost(&mut self) {
        self.lacking.clear();
        self.lost.append(&mut self.flying);
    }

    /// Takes in what HQ said; what it signed for is noted on the disk when this returns.
    pub(super) fn hear(&mut self, store: &mut Store, tells: &[Tell], now: Now) -> Result<Moved, StoreError> {
        let mut moved = Moved::No;
        let mut whole = Vec::new();
        for tell in tells {
            match tell {
                Tell::Held(files) => {
                    for file in files {
                        if self.heard(store, file)? == Moved::Yes {
                            moved = Moved::Yes;
                            whole.extend(file.missing.is_empty().then_some(file.hash));
                        }
                    }
                }
                Tell::Wanted(hashes) => {
                    if store.note_asked(hashes)? > 0 {
                        moved = Moved::Yes;
                    }
                }
                Tell::Piece(_) | Tell::Differing(_) | Tell::Relayed(_) | Tell::Newer { .. } => {}
            }
        }
        self.widen();
        if !whole.is_empty() {
            self.sent += u64::try_from(whole.len()).unwrap_or(0);
            store.note_at_hq(&whole, now)?;
        }
        if moved == Moved::Yes {
            store.checkpoint()?;
        }
        Ok(moved)
    }

    fn heard(&mut self, store: &mut Store, file: &FileHeld) -> Result<Moved, StoreError> {
        let FileHeld { hash, missing } = file;
        self.narrow(hash, missing);
        if missing.is_empty() {
            self.lacking.remove(hash);
            return Ok(Moved::Yes);
        }
        if !Blobs::of(store).has(&FileHash(hash.to_vec())) {
            store.note_missing(hash)?;
            return Ok(Moved::Yes);
        }
        let before = self.lacking.insert(*hash, missing.clone());
        let count = |runs: &[(u32, u32)]| runs.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
        let nearer = before.is_none_or(|before| count(missing) < count(&before));
        Ok(if nearer { Moved::Yes } else { Moved::No })
    }

    /// Learns from a cut how much the line lets through at a time.
    fn narrow(&mut self, hash: &Hash, missing: &[(u32, u32)]) {
        let lacks =
            |index: u32| missing.iter().any(|(first, count)| (*first..first + count).contains(&index));
        let sent = self.lost.iter().filter(|(of, _)| of == hash);
        let through = sent.clone().filter(|(_, index)| !lacks(*index)).count();
        if sent.count() > 0 {
            self.lost.retain(|(of, _)| of != hash);
            self.window = through.max(1);
            self.good = 0;
        }
    }

    fn widen(&mut self) {
        if self.flying.is_empty() {
            return;
        }
        self.flying.clear();
        self.good += 1;
        if self.good >= GOOD_ROUNDS {
            self.window = (self.window + 1).min(PIECES_MAX);
            self.good = 0;
        }
    }

    /// Returns whether a further request could bring a file nearer to HQ.
    pub(super) fn has_more(&self, store: &Store) -> Result<bool, StoreError> {
        let waiting = store.files_waiting(FILES_AT_A_TIME)?;
        Ok(waiting.iter().any(|(_, hash)| !self.unreadable.contains(hash)))
    }
}
