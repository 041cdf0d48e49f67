//! What the two ends say beside the log and the feeds: files, proofs, digests, what is carried for others.
//!
//! Each variant is a message of its own, and none must be understood: an older peer steps over what it does not know.
//!
//! Source: docs/PROTOCOL.md, Asides.

use records::id::{DocId, Epoch, OpId, Replica};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Buckets;
use crate::envelope::{self, MessageError, Raw};
use crate::limits::{CHUNK_BYTES, FILE_BYTES_MAX, LISTED_MAX, PINS_MAX};
use crate::message::Certificate;
use crate::proof::{ExtractsProof, RulingProof};
use crate::sign::{PublicKey, Signature, Signer};
use crate::tables::Tables;

/// What a device says beside its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// HQ's word on ops, under HQ's own signature, for an HQ that lost it.
    Rulings(RulingProof),
    /// Ops of others under HQ's own signature, for an HQ that lost them.
    Extracts(ExtractsProof),
    /// A sealed request of another device, carried for it.
    Relay(Vec<u8>),
    /// A piece of a file, signed by the device.
    Chunk(Chunk),
    /// Files that its documents name.
    Have(Vec<FileHave>),
    /// Files that it would like to have.
    Want(Vec<FileWant>),
    /// The hashes of its buckets, after HQ said that the digests differ.
    Buckets(Buckets),
    /// Documents whose whole history it asks for again.
    Reread(Vec<DocId>),
    /// Own ops that were saved under a clock that was set since.
    Clocks(Vec<ClockRun>),
    /// What it reads, where HQ said that it reads otherwise.
    Tables(Tables),
    /// Who it is, under HQ's own signature, for an HQ that lost it.
    Vouched(Vouched),
    /// The version of HQ's TLS keys that it has on its disk, once HQ told it of them.
    Pins(u32),
    /// One of a newer version.
    Newer {
        /// Its number.
        number: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// What HQ says beside acknowledgement and feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// What HQ holds of files that the device named or sent.
    Held(Vec<FileHeld>),
    /// Files that HQ asks for as they were before they were made smaller, by SHA-256.
    Wanted(Vec<[u8; 32]>),
    /// A piece of a file that the device wanted.
    Piece(Piece),
    /// Where the digests differ.
    Differing(Differing),
    /// The sealed answer to a relayed request.
    Relayed(Vec<u8>),
    /// The name that the device is to take once HQ has all of its work: an enrolment, without the text of a code around
    /// it. HQ gives it to a second device of one code.
    Renamed(Vec<u8>),
    /// What HQ reads, where the device said that it reads otherwise.
    Tables(Tables),
    /// The certificate in the same answer under a signature of its own, to be shown to an HQ that lost it.
    Vouched(Vouched),
    /// The TLS keys by which HQ is to be known from now on.
    Pins(Pins),
    /// One of a newer version.
    Newer {
        /// Its number.
        number: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// The TLS keys by which a device knows HQ. The answer's signature vouches for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins {
    /// Only rises: a device takes no lower one, and 0 is what its enrolment said.
    pub version: u32,
    /// SHA-256 of each key's subject public key info, at most [`PINS_MAX`]: the one in use, then the next one.
    pub pins: Vec<[u8; 32]>,
}

/// A certificate that proves itself: HQ's signature over it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The certificate.
    pub certificate: Certificate,
    /// HQ's, over its bytes.
    pub signature: Signature,
}

impl Vouched {
    /// Signs a certificate.
    #[must_use]
    pub fn sign(signer: &Signer, certificate: Certificate) -> Self {
        let signature = signer.sign("certificate", &[&canonical::to_bytes(&certificate)]);
        Self { certificate, signature }
    }

    /// Returns whether `key` signed it.
    #[must_use]
    pub fn verify(&self, key: &PublicKey) -> bool {
        key.verifies("certificate", &[&canonical::to_bytes(&self.certificate)], &self.signature)
    }
}

/// A piece of a file on its way to HQ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// SHA-256 of the whole file.
    pub hash: [u8; 32],
    /// Bytes of the whole file, at most [`FILE_BYTES_MAX`].
    pub total: u64,
    /// Which piece, from 0: it begins at `index` × [`CHUNK_BYTES`].
    pub index: u32,
    /// The piece: [`CHUNK_BYTES`], but for the last one.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// The device's, over all of the above: a piece of a request that was cut proves itself.
    pub signature: Signature,
}

/// A piece of a file on its way to a device; the answer's signature vouches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// SHA-256 of the whole file.
    pub hash: [u8; 32],
    /// Bytes of the whole file.
    pub total: u64,
    /// Which piece, from 0.
    pub index: u32,
    /// The piece.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Own ops that HQ did not sign for yet and that were saved while the clock stood elsewhere than it does now.
///
/// Told by the time since the boot: within one boot wall time and that time go on together until the clock is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRun {
    /// The epoch.
    pub epoch: Epoch,
    /// The first op.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// What the wall clock showed less what it would have shown as it goes now, milliseconds.
    pub shift_ms: i64,
}

/// A file that a device holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHave {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Its bytes.
    pub total: u64,
}

/// A file that a device lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWant {
    /// A document that names it: who may see the one may have the other.
    pub doc: DocId,
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// The first piece that it lacks; it takes them in order.
    pub from: u32,
    /// How many pieces it takes in one answer, at most.
    pub count: u32,
}

/// What HQ holds of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHeld {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Runs of pieces that HQ lacks, as (first, count), rising; none: HQ has the whole file on its disk.
    pub missing: Vec<(u32, u32)>,
}

/// The documents of the buckets that differ, as HQ holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// The buckets that are listed whole; where the list would grow too long, the others come next time.
    pub buckets: Vec<u8>,
    /// Their documents, by id.
    pub documents: Vec<HeldDocument>,
}

/// A document as HQ holds it for the asking device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDocument {
    /// The document.
    pub doc: DocId,
    /// Its digest.
    pub digest: [u8; 16],
    /// Its ops, as runs without holes, rising.
    pub ops: Vec<OpRun>,
}

/// Ops of one line that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRun {
    /// Whose log.
    pub replica: Replica,
    /// Which epoch.
    pub epoch: Epoch,
    /// The first op.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl OpRun {
    /// Joins ops, sorted by name, into runs.
    #[must_use]
    pub fn of(ops: &[OpId]) -> Vec<Self> {
        let follows = |a: &OpId, b: &OpId| {
            (a.replica, a.epoch) == (b.replica, b.epoch) && b.seq.checked_sub(1) == Some(a.seq)
        };
        let run = |run: &[OpId]| {
            let (first, last) = (run.first()?, run.last()?);
            Some(Self { replica: first.replica, epoch: first.epoch, first: first.seq, last: last.seq })
        };
        ops.chunk_by(follows).filter_map(run).collect()
    }

    /// Returns whether the op is in the run.
    #[must_use]
    pub fn has(&self, op: OpId) -> bool {
        (self.replica, self.epoch) == (op.replica, op.epoch) && (self.first..=self.last).contains(&op.seq)
    }
}

impl Chunk {
    /// Signs a piece of a file.
    #[must_use]
    pub fn sign(signer: &Signer, piece: Piece) -> Self {
        let Piece { hash, total, index, bytes } = piece;
        let mut chunk = Self { hash, total, index, bytes, signature: Signature([0; 64]) };
        chunk.signature = signer.sign("chunk", &[&chunk.signed()]);
        chunk
    }

    /// Returns whether the piece is signed by `key` and as long as its place in the file says.
    #[must_use]
    pub fn verify(&self, key: &PublicKey) -> bool {
        self.fits() && key.verifies("chunk", &[&self.signed()], &self.signature)
    }

    fn fits(&self) -> bool {
        piece_bytes(self.total, self.index).is_some_and(|bytes| bytes == self.bytes.len())
    }

    fn signed(&self) -> Vec<u8> {
        let bytes = crate::chain::sha256(&[&self.bytes]);
        [&self.hash[..], &self.total.to_le_bytes(), &self.index.to_le_bytes(), &bytes].concat()
    }
}

/// Returns how many pieces a file has; an empty one has none.
#[must_use]
pub fn pieces(total: u64) -> u32 {
    let chunk = u64::try_from(CHUNK_BYTES).unwrap_or(1);
    u32::try_from(total.div_ceil(chunk)).unwrap_or(u32::MAX)
}

/// Returns the length of a piece; `None` where the file has no such piece or is beyond [`FILE_BYTES_MAX`].
///
/// ```
/// use sync_protocol::asides::piece_bytes;
/// assert_eq!(piece_bytes(200_000, 0), Some(131_072));
/// assert_eq!(piece_bytes(200_000, 1), Some(68_928));
/// assert_eq!(piece_bytes(200_000, 2), None);
/// ```
#[must_use]
pub fn piece_bytes(total: u64, index: u32) -> Option<usize> {
    let chunk = u64::try_from(CHUNK_BYTES).ok()?;
    let left = total.checked_sub(u64::from(index) * chunk).filter(|left| *left > 0)?;
    if total > FILE_BYTES_MAX { None } else { usize::try_from(left.min(chunk)).ok() }
}

const RULINGS: u8 = 0x0a;
const EXTRACTS: u8 = 0x0b;
const RELAY: u8 = 0x0c;
const CHUNK: u8 = 0x0d;
const HAVE: u8 = 0x0e;
const WANT: u8 = 0x0f;
const BUCKETS: u8 = 0x10;
const REREAD: u8 = 0x11;
const HELD: u8 = 0x12;
const WANTED: u8 = 0x13;
const PIECE: u8 = 0x14;
const DIFFERING: u8 = 0x15;
const RELAYED: u8 = 0x16;
const CLOCKS: u8 = 0x17;
const RENAMED: u8 = 0x18;
/// Both ways.
const TABLES: u8 = 0x19;
/// Both ways.
const VOUCHED: u8 = 0x1a;
/// Both ways.
const PINS: u8 = 0x1b;
/// All of them are of this schema.
const SCHEMA: u8 = 1;

impl Ask {
    /// Whether it carries its own proof: such a one is taken as it arrives, the others once the request is proven.
    #[must_use]
    pub fn proves_itself(&self) -> bool {
        match self {
            Self::Rulings(_) | Self::Extracts(_) | Self::Relay(_) | Self::Chunk(_) | Self::Vouched(_) => true,
            Self::Have(_)
            | Self::Want(_)
            | Self::Buckets(_)
            | Self::Reread(_)
            | Self::Clocks(_)
            | Self::Tables(_)
            | Self::Pins(_)
            | Self::Newer { .. } => false,
        }
    }

    /// Appends it as a message.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (number, bytes) = self.numbered();
        envelope::write_bytes(number, SCHEMA, &bytes, out);
    }

    fn numbered(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Rulings(proof) => (RULINGS, canonical::to_bytes(proof)),
            Self::Extracts(proof) => (EXTRACTS, canonical::to_bytes(proof)),
            Self::Relay(sealed) => (RELAY, sealed.clone()),
            Self::Chunk(chunk) => (CHUNK, canonical::to_bytes(chunk)),
            Self::Have(files) => (HAVE, canonical::to_bytes(files)),
            Self::Want(files) => (WANT, canonical::to_bytes(files)),
            Self::Buckets(buckets) => (BUCKETS, buckets.to_bytes()),
            Self::Reread(docs) => (REREAD, canonical::to_bytes(docs)),
            Self::Clocks(runs) => (CLOCKS, canonical::to_bytes(runs)),
            Self::Tables(tables) => (TABLES, canonical::to_bytes(tables)),
            Self::Vouched(vouched) => (VOUCHED, canonical::to_bytes(vouched)),
            Self::Pins(version) => (PINS, canonical::to_bytes(version)),
            Self::Newer { number, bytes } => (*number, bytes.clone()),
        }
    }

    pub(crate) fn of_message(raw: &Raw<'_>) -> Result<Self, MessageError> {
        let newer = || Self::Newer { number: raw.number, bytes: raw.bytes.to_vec() };
        if raw.schema != SCHEMA {
            return raw.skip().map(|()| newer());
        }
        let read = match raw.number {
            RULINGS => canonical::from_bytes(raw.bytes).map(Self::Rulings),
            EXTRACTS => canonical::from_bytes(raw.bytes).map(Self::Extracts),
            RELAY => Some(Self::Relay(raw.bytes.to_vec())),
            CHUNK => canonical::from_bytes(raw.bytes).map(Self::Chunk),
            HAVE => list(raw)?.map(Self::Have),
            WANT => list(raw)?.map(Self::Want),
            BUCKETS => Buckets::from_bytes(raw.bytes).map(Self::Buckets),
            REREAD => list(raw)?.map(Self::Reread),
            CLOCKS => list(raw)?.map(Self::Clocks),
            TABLES => list(raw)?.map(Tables::of).map(Self::Tables),
            VOUCHED => canonical::from_bytes(raw.bytes).map(Self::Vouched),
            PINS => canonical::from_bytes(raw.bytes).map(Self::Pins),
            _ => return raw.skip().map(|()| newer()),
        };
        read.ok_or(MessageError::Malformed { number: raw.number })
    }
}

impl Tell {
    /// Appends it as a message.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (number, bytes) = self.numbered();
        envelope::write_bytes(number, SCHEMA, &bytes, out);
    }

    /// Returns how many bytes it takes in an answer.
    #[must_use]
    pub fn length(&self) -> usize {
        let mut out = Vec::new();
        self.write(&mut out);
        out.len()
    }

    fn numbered(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Held(files) => (HELD, canonical::to_bytes(files)),
            Self::Wanted(files) => (WANTED, canonical::to_bytes(files)),
            Self::Piece(piece) => (PIECE, canonical::to_bytes(piece)),
            Self::Differing(differing) => (DIFFERING, canonical::to_bytes(differing)),
            Self::Relayed(sealed) => (RELAYED, sealed.clone()),
            Self::Renamed(enrolment) => (RENAMED, enrolment.clone()),
            Self::Tables(tables) => (TABLES, canonical::to_bytes(tables)),
            Self::Vouched(vouched) => (VOUCHED, canonical::to_bytes(vouched)),
            Self::Pins(pins) => (PINS, canonical::to_bytes(pins)),
            Self::Newer { number, bytes } => (*number, bytes.clone()),
        }
    }

    pub(crate) fn of_message(raw: &Raw<'_>) -> Result<Self, MessageError> {
        let newer = || Self::Newer { number: raw.number, bytes: raw.bytes.to_vec() };
        if raw.schema != SCHEMA {
            return raw.skip().map(|()| newer());
        }
        let read = match raw.number {
            HELD => list(raw)?.map(Self::Held),
            WANTED => list(raw)?.map(Self::Wanted),
            PIECE => canonical::from_bytes(raw.bytes).map(Self::Piece),
            DIFFERING => canonical::from_bytes(raw.bytes).map(Self::Differing),
            RELAYED => Some(Self::Relayed(raw.bytes.to_vec())),
            RENAMED => Some(Self::Renamed(raw.bytes.to_vec())),
            TABLES => list(raw)?.map(Tables::of).map(Self::Tables),
            VOUCHED => canonical::from_bytes(raw.bytes).map(Self::Vouched),
            // As long as they can be at most: the list is not read to see how long it is.
            PINS if raw.bytes.len() > 6 + PINS_MAX * 32 => {
                return Err(MessageError::TooMany { number: raw.number });
            }
            PINS => canonical::from_bytes(raw.bytes).map(Self::Pins),
            _ => return raw.skip().map(|()| newer()),
        };
        read.ok_or(MessageError::Malformed { number: raw.number })
    }
}

/// Reads a list whose count is held against the limit before it is read.
fn list<T: Serialize + serde::de::DeserializeOwned>(raw: &Raw<'_>) -> Result<Option<Vec<T>>, MessageError> {
    let mut peek = raw.bytes;
    if canonical::take_len(&mut peek).is_some_and(|count| count > LISTED_MAX) {
        return Err(MessageError::TooMany { number: raw.number });
    }
    Ok(canonical::from_bytes(raw.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_that_follow_one_another_are_one_run() {
        let op = |epoch, seq| OpId { replica: Replica(7), epoch: Epoch(epoch), seq };
        let ops = [op(1, 1), op(1, 2), op(1, 4), op(2, 5)];
        let runs = OpRun::of(&ops);
        assert_eq!(
            runs.iter().map(|run| (run.first, run.last)).collect::<Vec<_>>(),
            [(1, 2), (4, 4), (5, 5)]
        );
        assert!(ops.iter().all(|op| runs.iter().any(|run| run.has(*op))));
        assert!(!runs.iter().any(|run| run.has(op(1, 3)) || run.has(op(2, 4))));
        assert_eq!(OpRun::of(&[]), []);
    }

    #[test]
    fn a_piece_is_as_long_as_its_place_says_and_signed() {
        let signer = Signer::from_seed(&[3; 32]).unwrap();
        let piece =
            |index, bytes: usize| Piece { hash: [1; 32], total: 200_000, index, bytes: vec![7; bytes] };
        assert_eq!(pieces(200_000), 2);
        assert!(Chunk::sign(&signer, piece(0, CHUNK_BYTES)).verify(&signer.public()));
        assert!(Chunk::sign(&signer, piece(1, 68_928)).verify(&signer.public()));
        for (index, bytes) in [(0, 5), (1, CHUNK_BYTES), (2, 1), (u32::MAX, 0)] {
            assert!(!Chunk::sign(&signer, piece(index, bytes)).verify(&signer.public()), "{index}");
        }
        let mut changed = Chunk::sign(&signer, piece(0, CHUNK_BYTES));
        changed.bytes[9] ^= 1;
        assert!(!changed.verify(&signer.public()));
    }
}
