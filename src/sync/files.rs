//! Files within a sync: the device names what waits, HQ says which pieces it lacks, and only those go.
//!
//! Nothing of this is remembered between two syncs: HQ knows what it holds, and is asked before anything goes again.
//! So no piece that HQ has kept is sent twice, wherever the line was cut.
//!
//! Source: docs/PROTOCOL.md, Files.

use std::collections::{BTreeMap, BTreeSet};

use records::value::FileHash;
use sync_protocol::asides::{Ask, Chunk, FileHave, FileHeld, FileWant, Piece, Tell, piece_bytes};
use sync_protocol::limits::CHUNK_BYTES;

use crate::blobs::{Blobs, Taken};
use crate::clock::Now;
use crate::picture::THUMB_BYTES_MAX;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::{Hash, ToFetch};

/// Files that are on their way at a time.
const FILES_AT_A_TIME: usize = 64;
/// Pieces of one request while the line holds: 1 MiB is well worth a round trip.
const PIECES_MAX: usize = 8;
/// Requests that come through before one more piece is tried after a line was cut.
const GOOD_ROUNDS: u32 = 32;
/// Files that one request asks for.
const WANTS_MAX: usize = 64;
/// Files that one sync fetches: some 2 MB of thumbnails; the next one goes on.
const FETCHED_MAX: u64 = 256;
/// Files to be fetched that are looked at: those of a lost device, which never come, must not hide the others.
const FETCHES_LOOKED_AT: usize = 1024;
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
    /// Pieces that came through since the line last broke.
    through: usize,
    /// How many pieces one request takes.
    window: usize,
    /// Requests with pieces that were answered since the window changed.
    good: u32,
    /// Files here that do not read: `doctor` names them, the others go on.
    unreadable: BTreeSet<Hash>,
    /// Whether the request under way found more of them: the next one has others to send.
    stepped_over: bool,
    /// Files asked for in the request under way.
    wanted: BTreeMap<Hash, ToFetch>,
    /// Files that HQ has not and that are not here, or that did not fit here.
    absent: BTreeSet<Hash>,
    /// Whether the request under way could bring files nearer.
    had_more: bool,
    /// Files that HQ got whole.
    pub(super) sent: u64,
    /// Files that came whole.
    pub(super) received: u64,
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
            through: 0,
            window: PIECES_MAX,
            good: 0,
            unreadable: BTreeSet::new(),
            stepped_over: false,
            wanted: BTreeMap::new(),
            absent: BTreeSet::new(),
            had_more: false,
            sent: 0,
            received: 0,
        }
    }

    /// Returns what goes into the next request. Pieces wait until all records are sent, for which `room` is `None`;
    /// else it is the bytes that they may take.
    pub(super) fn asks(&mut self, store: &Store, room: Option<usize>) -> Result<Vec<Ask>, StoreError> {
        let mut asks = Vec::new();
        self.stepped_over = false;
        self.had_more = room.is_some() && self.has_more(store)?;
        let waiting = self.waiting(store)?;
        let unknown = waiting.iter().filter(|hash| !self.lacking.contains_key(*hash));
        let length = |hash: &Hash| Blobs::of(store).length(&FileHash(hash.to_vec())).unwrap_or(0);
        let have: Vec<FileHave> = unknown.map(|hash| FileHave { hash: *hash, total: length(hash) }).collect();
        if !have.is_empty() {
            asks.push(Ask::Have(have));
        }
        if let Some(room) = room {
            let unreadable = self.unreadable.len();
            let chunks = self.pieces(store, &waiting, room)?;
            self.stepped_over = self.unreadable.len() > unreadable;
            asks.extend(chunks.into_iter().map(Ask::Chunk));
            let wants = self.wants(store, room)?;
            asks.extend((!wants.is_empty()).then_some(Ask::Want(wants)));
        }
        Ok(asks)
    }

    /// Returns the next files that wait for HQ, and behind them those that were missing when it was last asked; those
    /// that do not read take nobody's place.
    fn waiting(&self, store: &Store) -> Result<Vec<Hash>, StoreError> {
        let all = store.files_waiting(FILES_AT_A_TIME.saturating_add(self.unreadable.len()))?;
        let read = all.into_iter().map(|(_, hash)| hash).filter(|hash| !self.unreadable.contains(hash));
        let missing = store.files_noted_missing()?.into_iter().filter(|hash| !self.absent.contains(hash));
        Ok(read.chain(missing).take(FILES_AT_A_TIME).collect())
    }

    /// Returns what is to be fetched next: what a person asked for first, then thumbnails of the newest ops.
    fn wants(&mut self, store: &Store, mut room: usize) -> Result<Vec<FileWant>, StoreError> {
        self.wanted.clear();
        let mut wants = Vec::new();
        for fetch in store.files_to_fetch(FETCHES_LOOKED_AT)? {
            let (doc, hash) = (fetch.doc, fetch.hash);
            let name = FileHash(hash.to_vec());
            let (count, bytes) = match fetch.is_first() {
                true => (u32::try_from(room / CHUNK_BYTES).unwrap_or(0).min(8), room.min(8 * CHUNK_BYTES)),
                false => (1, THUMB_BYTES_MAX),
            };
            let enough = wants.len() >= WANTS_MAX || self.received >= FETCHED_MAX;
            if enough || count == 0 || bytes > room {
                break;
            }
            if !self.absent.contains(&hash) && self.wanted.insert(hash, fetch).is_none() {
                wants.push(FileWant { doc, hash, from: Blobs::of(store).received(&name), count });
                room -= bytes;
            }
        }
        Ok(wants)
    }

    fn pieces(&mut self, store: &Store, order: &[Hash], mut room: usize) -> Result<Vec<Chunk>, StoreError> {
        let signer = store.signer()?;
        let blobs = Blobs::of(store);
        let mut chunks = Vec::new();
        for hash in order {
            let name = FileHash(hash.to_vec());
            let total = blobs.length(&name).unwrap_or(0);
            let runs = self.lacking.get(hash).map(Vec::as_slice).unwrap_or_default();
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

    /// Notes that a request's answer never came: what HQ holds has to be asked again. Returns whether pieces were in it.
    pub(super) fn lost(&mut self) -> bool {
        let flew = !self.flying.is_empty();
        self.lacking.clear();
        self.lost.append(&mut self.flying);
        flew
    }

    /// Takes in what HQ said; what it signed for is noted on the disk when this returns.
    pub(super) fn hear(&mut self, store: &mut Store, tells: &[Tell], now: Now) -> Result<Moved, StoreError> {
        let (mut moved, mut noted) = (Moved::No, false);
        let mut whole = Vec::new();
        for tell in tells {
            match tell {
                Tell::Held(files) => {
                    self.narrow(files);
                    for file in files {
                        if self.wanted.contains_key(&file.hash) {
                            noted |= self.is_absent(store, &file.hash)?;
                        } else if self.heard(store, file)? == Moved::Yes {
                            moved = Moved::Yes;
                            whole.extend(file.missing.is_empty().then_some(file.hash));
                        }
                    }
                }
                Tell::Wanted(hashes) => {
                    if store.note_asked(hashes)? > 0 {
                        (moved, noted) = (Moved::Yes, true);
                    }
                }
                Tell::Piece(piece) => {
                    moved = Moved::Yes;
                    noted |= self.came(store, piece)?;
                }
                Tell::Differing(_)
                | Tell::Relayed(_)
                | Tell::Renamed(_)
                | Tell::Vouched(_)
                | Tell::Pins(_) => {}
                Tell::Tables(_) | Tell::Newer { .. } => {}
            }
        }
        self.widen();
        if !whole.is_empty() {
            self.sent += u64::try_from(whole.len()).unwrap_or(0);
            store.note_at_hq(&whole, now)?;
            noted = true;
        }
        if noted {
            store.checkpoint()?;
        }
        Ok(moved)
    }

    /// Keeps a piece that came; returns whether anything was noted.
    fn came(&mut self, store: &mut Store, piece: &Piece) -> Result<bool, StoreError> {
        let Some(fetch) = self.wanted.get(&piece.hash).copied() else {
            return Ok(false);
        };
        match Blobs::of(store).take(piece) {
            Ok(Taken::More) => return Ok(false),
            Ok(Taken::Whole) => {
                self.received += 1;
                store.fetch_no_more(&fetch)?;
                // Other records may name it as well.
                for same in store.files_to_fetch(FETCHES_LOOKED_AT)? {
                    if same.hash == piece.hash {
                        store.fetch_no_more(&same)?;
                    }
                }
                return Ok(true);
            }
            // A full disk takes no photos of others, and a place that takes none holds up no other file; records still
            // come.
            Ok(Taken::Wrong) | Err(StoreError::NoSpace { .. } | StoreError::Io { .. }) => {}
            Err(error) => return Err(error),
        }
        self.absent.insert(piece.hash);
        Ok(false)
    }

    /// Notes that HQ has not what is to be fetched; returns whether it is no more to be fetched.
    fn is_absent(&mut self, store: &mut Store, hash: &Hash) -> Result<bool, StoreError> {
        self.absent.insert(*hash);
        let gone = self.wanted.get(hash).copied().filter(|fetch| matches!(store.entry(fetch.doc), Ok(None)));
        gone.as_ref().map_or(Ok(()), |fetch| store.fetch_no_more(fetch))?;
        Ok(gone.is_some())
    }

    fn heard(&mut self, store: &mut Store, file: &FileHeld) -> Result<Moved, StoreError> {
        let FileHeld { hash, missing } = file;
        if missing.is_empty() {
            self.lacking.remove(hash);
            return Ok(Moved::Yes);
        }
        if !Blobs::of(store).has(&FileHash(hash.to_vec())) {
            self.absent.insert(*hash);
            store.note_missing(hash)?;
            store.checkpoint()?;
            return Ok(Moved::Yes);
        }
        let before = self.lacking.insert(*hash, missing.clone());
        let count = |runs: &[(u32, u32)]| runs.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
        let nearer = before.is_none_or(|before| count(missing) < count(&before));
        Ok(if nearer { Moved::Yes } else { Moved::No })
    }

    /// Learns from a cut how many pieces the line lets through at a time.
    fn narrow(&mut self, files: &[FileHeld]) {
        let held = |(hash, index): &(Hash, u32)| {
            let file = files.iter().find(|file| file.hash == *hash);
            let lacks = |file: &FileHeld| {
                file.missing
                    .iter()
                    .any(|(first, count)| (*first..first.saturating_add(*count)).contains(index))
            };
            file.is_some_and(|file| !lacks(file))
        };
        if !self.lost.is_empty() {
            let through = self.through + self.lost.iter().filter(|piece| held(piece)).count();
            self.window = through.clamp(1, PIECES_MAX);
            self.lost.clear();
            (self.through, self.good) = (0, 0);
        }
    }

    /// Notes that the pieces under way came through; after many good rounds one more is tried.
    fn widen(&mut self) {
        if self.flying.is_empty() {
            return;
        }
        self.through += self.flying.len();
        self.flying.clear();
        self.good += 1;
        if self.good >= GOOD_ROUNDS {
            self.window = (self.window + 1).min(PIECES_MAX);
            self.good = 0;
        }
    }

    /// Returns whether a further request is worth while: there is more, and the last one moved something or had nothing.
    pub(super) fn goes_on(&self, store: &Store, moved: Moved) -> Result<bool, StoreError> {
        Ok((moved == Moved::Yes || self.stepped_over || !self.had_more) && self.has_more(store)?)
    }

    fn has_more(&self, store: &Store) -> Result<bool, StoreError> {
        let waiting = self.waiting(store)?;
        let fetches =
            if self.received < FETCHED_MAX { store.files_to_fetch(FETCHES_LOOKED_AT)? } else { Vec::new() };
        Ok(!waiting.is_empty() || fetches.iter().any(|fetch| !self.absent.contains(&fetch.hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, enrolment};

    const FILE: Hash = [7; 32];

    fn held(missing: &[(u32, u32)]) -> Vec<FileHeld> {
        vec![FileHeld { hash: FILE, missing: missing.to_vec() }]
    }

    #[test]
    fn a_cut_teaches_how_much_the_line_lets_through() {
        let check = |before: usize, flying: std::ops::Range<u32>, missing: &[(u32, u32)], window: usize| {
            let mut exchange = Exchange::new();
            exchange.through = before;
            exchange.flying = flying.map(|index| (FILE, index)).collect();
            assert!(exchange.lost());
            exchange.narrow(&held(missing));
            assert_eq!(exchange.window, window, "{missing:?}");
        };
        check(0, 0..8, &[(2, 100)], 2);
        check(1, 4..8, &[(5, 1), (7, 1)], 3);
        check(0, 0..8, &[(0, 8)], 1);
        check(40, 0..8, &[(8, 9)], PIECES_MAX);
        let mut quiet = Exchange::new();
        assert!(!quiet.lost(), "nothing was on its way");
        quiet.narrow(&held(&[(0, 4)]));
        assert_eq!(quiet.window, PIECES_MAX);
    }

    #[test]
    fn files_that_do_not_read_take_no_other_file_s_place() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let put = |n: usize| {
            let bytes = [u8::try_from(n).unwrap(); 40];
            Hash::try_from(Blobs::of(&store).put(&mut bytes.as_slice()).unwrap().hash.0).unwrap()
        };
        let all: Vec<Hash> = (0..FILES_AT_A_TIME + 2).map(put).collect();
        store.note_asked(&all).unwrap();
        let order = store.files_waiting(usize::MAX).unwrap();
        for (_, hash) in &order[..=FILES_AT_A_TIME] {
            let hex = records::hex::of(hash);
            std::fs::write(dir.path().join("blobs").join(&hex[..2]).join(hex), [7; 100]).unwrap();
        }
        let mut exchange = Exchange::new();
        let mut sent = Vec::new();
        for _ in 0..6 {
            let asks = exchange.asks(&store, Some(usize::MAX)).unwrap();
            let mut held = Vec::new();
            for ask in asks {
                match ask {
                    Ask::Have(have) => {
                        let lacks = |have: &FileHave| FileHeld { hash: have.hash, missing: vec![(0, 1)] };
                        held.extend(have.iter().map(lacks));
                    }
                    Ask::Chunk(chunk) => {
                        sent.push(chunk.hash);
                        held.push(FileHeld { hash: chunk.hash, missing: Vec::new() });
                    }
                    _ => {}
                }
            }
            let moved = exchange.hear(&mut store, &[Tell::Held(held)], NOW).unwrap();
            if !exchange.goes_on(&store, moved).unwrap() {
                break;
            }
        }
        assert_eq!(sent, [order[FILES_AT_A_TIME + 1].1]);
        assert_eq!(exchange.sent, 1);
        assert!(!exchange.goes_on(&store, Moved::No).unwrap(), "it ends");
    }

    #[test]
    fn a_missing_file_is_asked_for_once_a_sync_until_another_home_has_brought_it() {
        let (_dir, mut store) = crate::store::testing::home();
        store.note_missing(&FILE).unwrap();
        let asked = [Ask::Have(vec![FileHave { hash: FILE, total: 0 }])];
        for (still, left) in [(vec![(0, 1)], vec![FILE]), (Vec::new(), Vec::new())] {
            let mut exchange = Exchange::new();
            assert_eq!(exchange.asks(&store, None).unwrap(), asked);
            let moved = exchange.hear(&mut store, &[Tell::Held(held(&still))], NOW).unwrap();
            assert!(!exchange.goes_on(&store, moved).unwrap(), "once is enough");
            assert_eq!(exchange.asks(&store, Some(usize::MAX)).unwrap(), []);
            assert_eq!(store.files_missing().unwrap(), left);
        }
        assert_eq!(Exchange::new().asks(&store, None).unwrap(), [], "headquarters has it");
    }

    #[test]
    fn pieces_go_only_where_hq_said_that_it_lacks_them_and_never_before_the_records() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &enrolment(), NOW).unwrap();
        let bytes: Vec<u8> = (0..3 * CHUNK_BYTES).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let hash = Hash::try_from(Blobs::of(&store).put(&mut bytes.as_slice()).unwrap().hash.0).unwrap();
        store.note_asked(&[hash]).unwrap();
        let mut exchange = Exchange::new();
        let sent = |asks: &[Ask]| -> Vec<u32> {
            let index = |ask: &Ask| if let Ask::Chunk(chunk) = ask { Some(chunk.index) } else { None };
            asks.iter().filter_map(index).collect()
        };
        let first = exchange.asks(&store, Some(usize::MAX)).unwrap();
        assert_eq!(first, [Ask::Have(vec![FileHave { hash, total: 3 * CHUNK_BYTES as u64 }])]);
        let lacks = |missing: &[(u32, u32)]| [Tell::Held(vec![FileHeld { hash, missing: missing.to_vec() }])];
        assert_eq!(exchange.hear(&mut store, &lacks(&[(0, 1), (2, 1)]), NOW).unwrap(), Moved::Yes);
        assert_eq!(sent(&exchange.asks(&store, None).unwrap()), [0; 0], "records first");
        assert_eq!(sent(&exchange.asks(&store, Some(CHUNK_BYTES)).unwrap()), [0; 0], "not within the budget");
        assert_eq!(sent(&exchange.asks(&store, Some(usize::MAX)).unwrap()), [0, 2]);
        exchange.lost();
        assert_eq!(
            sent(&exchange.asks(&store, Some(usize::MAX)).unwrap()),
            [0; 0],
            "HQ is asked again first"
        );
        assert_eq!(exchange.hear(&mut store, &lacks(&[(2, 1)]), NOW).unwrap(), Moved::Yes);
        assert_eq!(exchange.hear(&mut store, &lacks(&[(2, 1)]), NOW).unwrap(), Moved::No);
        assert_eq!(sent(&exchange.asks(&store, Some(usize::MAX)).unwrap()), [2]);
        assert_eq!(exchange.hear(&mut store, &lacks(&[]), NOW).unwrap(), Moved::Yes);
        assert!(store.file_at_hq(&hash).unwrap().is_some());
        assert_eq!(exchange.asks(&store, Some(usize::MAX)).unwrap(), []);
        assert!(!exchange.goes_on(&store, Moved::Yes).unwrap());

        // Another history of HQ may lack it: it waits again, and the same history changes nothing.
        for incarnation in [1, 1, 2] {
            store.doubt_files(incarnation).unwrap();
        }
        assert_eq!(store.files_waiting(9).unwrap().len(), 1);
        assert_eq!(store.file_at_hq(&hash).unwrap(), None);
    }
}
