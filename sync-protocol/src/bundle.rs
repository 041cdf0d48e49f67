//! A bundle: what goes by file where no network is. A header that whoever carries it may read, and sealed parcels.
//!
//! ```text
//! 0   "FBW1"
//! 4   length of the header, u32, little endian
//! 8   header, postcard
//! .   parcels: 0 for HQ or 1 for the reader, length u32 little endian, bytes
//! .   255: no further parcel
//! -64 Ed25519 signature of the header's key over SHA-256 of all before
//! ```
//!
//! No name, no path, no nesting. The signature says that the file is whole and whose it is; what is to be believed is
//! signed once more inside the parcels. It is read twice: first all of it is checked, then it is used.
//!
//! Source: docs/PROTOCOL.md, Bundles.

use records::id::{Epoch, Replica};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::chain::{Link, Parent};
use crate::conversation::RequestHash;
use crate::cursor::Incarnation;
use crate::limits::{BUNDLE_BYTES_MAX, PARCEL_BYTES_MAX};
use crate::message::Extract;
use crate::proof::RulingProof;
use crate::sign::{PublicKey, Signature, Signer};

/// The first bytes of the file; the digit is the version of the layout.
pub const MAGIC: [u8; 4] = *b"FBW1";
/// The header, at most.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// Stretches that a header names, at most; those behind them are in the bundle all the same.
pub const SPANS_MAX: usize = 256;
/// A parcel with its slots and tags, at most.
const SEALED_BYTES_MAX: usize = PARCEL_BYTES_MAX + 4 * 1024;
const END: u8 = 255;
const SIGNATURE_BYTES: usize = 64;
/// Bytes before a parcel: for whom, and how long.
const PARCEL_FRONT_BYTES: usize = 5;

/// The random name of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BundleId(pub [u8; 16]);

/// What a bundle is for. Only appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleKind {
    /// From a device to HQ: each parcel is a request.
    Work,
    /// From HQ to a device: each parcel is an [`Answered`].
    Receipt,
    /// From a device to a colleague: [`Handed`] for him, and requests that he carries on to HQ.
    HandOver,
}

/// For whom a parcel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// HQ.
    Hq,
    /// The device that reads the file.
    Reader,
}

/// A stretch of the author's log that a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The epoch.
    pub epoch: Epoch,
    /// Where it hangs; `None` for a root.
    pub parent: Option<Parent>,
    /// The first op.
    pub first: u64,
    /// The last op.
    pub last: u64,
    /// The chain value before the first.
    pub before: Link,
}

/// What everybody may read of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What it is for.
    pub kind: BundleKind,
    /// Its name.
    pub id: BundleId,
    /// Who wrote it; HQ is 0.
    pub author: Replica,
    /// The key that signs it. Whether it is the author's is for the reader to know.
    pub key: PublicKey,
    /// The devices that it is for; HQ is 0.
    pub readers: Vec<Replica>,
    /// HQ's history, as the author knows it.
    pub incarnation: Incarnation,
    /// When it was written, by the author's clock, milliseconds UTC.
    pub created_ms: u64,
    /// Who reads it later than this takes nothing for himself from it, milliseconds UTC; 0: never too late.
    pub expires_ms: u64,
    /// Of a receipt: the bundle that it answers.
    pub answers: Option<BundleId>,
    /// What of the author's log is in it.
    pub spans: Vec<Span>,
}

/// HQ's answer to one request of a bundle.
///
/// One request may have several: each goes on in the feeds where the one before ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// SHA-256 of the request.
    pub request: RequestHash,
    /// The device's signature of it: so it knows the request as its own without remembering it.
    pub asked: Signature,
    /// 0 for the first answer; further ones count only after those before.
    pub page: u32,
    /// The answer's body, signed by HQ.
    #[serde(with = "serde_bytes")]
    pub answer: Vec<u8>,
}

impl Answered {
    /// Returns its only spelling.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Reads it; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        canonical::from_bytes(bytes)
    }

    /// Returns whether the request is one of that device's.
    #[must_use]
    pub fn was_asked_by(&self, key: &PublicKey) -> bool {
        key.verifies("request", &[&self.request.0], &self.asked)
    }
}

/// What HQ says of a parcel that a device carried for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// SHA-256 of the sealed parcel.
    pub parcel: [u8; 32],
    /// An [`Answered`], sealed to the device that the request is of; `None` where HQ can make nothing of the parcel.
    pub answer: Option<Vec<u8>>,
}

impl Relayed {
    /// Returns its only spelling.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Reads it; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        canonical::from_bytes(bytes)
    }
}

/// What a colleague is given to go on with; a hand-over may have several.
///
/// The rows are vouched for by whoever hands over, until HQ gives them out itself; the rulings are HQ's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Ops of the job and its sheets.
    pub extracts: Vec<Extract>,
    /// What HQ said of them.
    pub rulings: Vec<RulingProof>,
}

impl Handed {
    /// Returns its only spelling.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Reads it; `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        canonical::from_bytes(bytes)
    }
}

/// Why a file is not a bundle; nothing of it was used.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum BundleError {
    /// It does not begin like one.
    #[error("a bundle begins with FBW1")]
    NotABundle,
    /// The header is of a newer version, or longer than one may be.
    #[error("the bundle's header does not read")]
    Header,
    /// A length beyond the limit, or bytes that no bundle has.
    #[error("the bundle is damaged")]
    Damaged,
    /// Its end is missing.
    #[error("the bundle is cut short")]
    CutShort,
    /// The bytes were changed.
    #[error("the bundle's signature does not fit")]
    Signature,
}

/// Writes a bundle piece by piece, so that it never has to be in memory whole.
pub struct Writer(ring::digest::Context);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer(…)")
    }
}

impl Writer {
    /// Begins a bundle and returns the file's first bytes.
    #[must_use]
    pub fn begin(header: &Header) -> (Self, Vec<u8>) {
        let mut writer = Self(ring::digest::Context::new(&ring::digest::SHA256));
        let header = canonical::to_bytes(header);
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes();
        let bytes = writer.hashed([&MAGIC[..], &length, &header].concat());
        (writer, bytes)
    }

    /// Returns the bytes of a sealed parcel in the file.
    #[must_use]
    pub fn parcel(&mut self, whom: For, sealed: &[u8]) -> Vec<u8> {
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes();
        let whom = match whom {
            For::Hq => 0,
            For::Reader => 1,
        };
        self.hashed([&[whom][..], &length, sealed].concat())
    }

    /// Ends the bundle and returns the file's last bytes; `signer` holds the header's key.
    #[must_use]
    pub fn end(mut self, signer: &Signer) -> Vec<u8> {
        let end = self.hashed(vec![END]);
        let signature = signer.sign("bundle", &[self.0.finish().as_ref()]);
        [end.as_slice(), &signature.0].concat()
    }

    fn hashed(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.update(&bytes);
        bytes
    }
}

/// Something whole in a bundle. Nothing is proven before [`Reader::finish`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Always the first.
    Header(Header),
    /// A sealed parcel.
    Parcel(For, Vec<u8>),
}

/// Reads a bundle as it comes from the disk.
pub struct Reader {
    hash: ring::digest::Context,
    waiting: Vec<u8>,
    taken: u64,
    key: Option<PublicKey>,
    ended: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} bytes taken)", self.taken)
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            hash: ring::digest::Context::new(&ring::digest::SHA256),
            waiting: Vec::new(),
            taken: 0,
            key: None,
            ended: false,
        }
    }
}

impl Reader {
    /// Takes bytes as they come and returns what they complete.
    ///
    /// # Errors
    /// [`BundleError`], as soon as it can be seen.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Part>, BundleError> {
        self.taken = self.taken.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.taken > BUNDLE_BYTES_MAX {
            return Err(BundleError::Damaged);
        }
        self.waiting.extend_from_slice(bytes);
        let mut parts = Vec::new();
        while !self.ended {
            let next = if self.key.is_none() { self.header()? } else { self.parcel()? };
            let Some(part) = next else { break };
            parts.push(part);
        }
        // Behind the end stands the signature and nothing else.
        if self.ended && self.waiting.len() > SIGNATURE_BYTES {
            return Err(BundleError::Damaged);
        }
        Ok(parts)
    }

    /// Ends the bundle: checks that it is whole and signed by its header's key.
    ///
    /// # Errors
    /// [`BundleError::CutShort`], [`BundleError::Signature`].
    pub fn finish(self) -> Result<(), BundleError> {
        let key = self.key.filter(|_| self.ended).ok_or(BundleError::CutShort)?;
        let signature = <[u8; SIGNATURE_BYTES]>::try_from(self.waiting).map_err(|_| BundleError::CutShort)?;
        let signed = key.verifies("bundle", &[self.hash.finish().as_ref()], &Signature(signature));
        if signed { Ok(()) } else { Err(BundleError::Signature) }
    }

    fn header(&mut self) -> Result<Option<Part>, BundleError> {
        let shown = self.waiting.len().min(MAGIC.len());
        if self.waiting.get(..shown) != MAGIC.get(..shown) {
            return Err(BundleError::NotABundle);
        }
        let Some(([_, _, _, _, length @ ..], rest)) = self.waiting.split_first_chunk::<8>() else {
            return Ok(None);
        };
        let length = within(*length, HEADER_BYTES_MAX).ok_or(BundleError::Header)?;
        let Some(bytes) = rest.get(..length) else {
            return Ok(None);
        };
        let header: Header = canonical::from_bytes(bytes).ok_or(BundleError::Header)?;
        self.key = Some(header.key);
        self.take(8 + length);
        Ok(Some(Part::Header(header)))
    }

    fn parcel(&mut self) -> Result<Option<Part>, BundleError> {
        let whom = match self.waiting.first() {
            None => return Ok(None),
            Some(0) => For::Hq,
            Some(1) => For::Reader,
            Some(&END) => {
                self.take(1);
                self.ended = true;
                return Ok(None);
            }
            Some(_) => return Err(BundleError::Damaged),
        };
        let Some(([_, length @ ..], rest)) = self.waiting.split_first_chunk::<PARCEL_FRONT_BYTES>() else {
            return Ok(None);
        };
        let length = within(*length, SEALED_BYTES_MAX).ok_or(BundleError::Damaged)?;
        let Some(sealed) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.take(PARCEL_FRONT_BYTES + length);
        Ok(Some(Part::Parcel(whom, sealed)))
    }

    fn take(&mut self, length: usize) {
        let rest = self.waiting.split_off(length.min(self.waiting.len()));
        self.hash.update(&std::mem::replace(&mut self.waiting, rest));
    }
}

fn within(length: [u8; 4], limit: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(length)).ok().filter(|length| *length <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer() -> Signer {
        Signer::from_seed(&[7; 32]).unwrap()
    }

    fn header() -> Header {
        Header {
            kind: BundleKind::Work,
            id: BundleId([4; 16]),
            author: Replica(7),
            key: signer().public(),
            readers: vec![Replica::HQ],
            incarnation: Incarnation(3),
            created_ms: 5,
            expires_ms: 0,
            answers: None,
            spans: vec![Span { epoch: Epoch(9), parent: None, first: 1, last: 2, before: Link::ROOT }],
        }
    }

    #[test]
    fn a_header_with_as_many_stretches_as_it_may_name_reads_whatever_is_in_them() {
        let parent = Parent { epoch: Epoch(u32::MAX), seq: u64::MAX, link: Link([255; 32]) };
        let (epoch, before) = (parent.epoch, parent.link);
        let span = Span { epoch, parent: Some(parent), first: u64::MAX, last: u64::MAX, before };
        let most = Header { spans: vec![span; SPANS_MAX], readers: vec![Replica(u32::MAX); 64], ..header() };
        let (_, bytes) = Writer::begin(&most);
        assert_eq!(Reader::default().push(&bytes).unwrap(), [Part::Header(most)]);
    }

    fn bundle() -> Vec<u8> {
        let (mut writer, mut file) = Writer::begin(&header());
        file.extend(writer.parcel(For::Hq, b"sealed to HQ"));
        file.extend(writer.parcel(For::Reader, b""));
        file.extend(writer.end(&signer()));
        file
    }

    fn read(file: &[u8], step: usize) -> Result<Vec<Part>, BundleError> {
        let mut reader = Reader::default();
        let mut parts = Vec::new();
        for bytes in file.chunks(step) {
            parts.extend(reader.push(bytes)?);
        }
        reader.finish().map(|()| parts)
    }

    #[test]
    fn it_reads_the_same_however_it_comes_from_the_disk() {
        let parcels =
            [Part::Parcel(For::Hq, b"sealed to HQ".to_vec()), Part::Parcel(For::Reader, Vec::new())];
        let whole: Vec<Part> = [Part::Header(header())].into_iter().chain(parcels).collect();
        for step in [1, 7, 64, 4096] {
            assert_eq!(read(&bundle(), step), Ok(whole.clone()));
        }
    }

    #[test]
    fn what_is_no_bundle_is_told_from_its_first_bytes() {
        assert_eq!(read(b"PK\x03\x04", 64), Err(BundleError::NotABundle));
        assert_eq!(read(b"", 64), Err(BundleError::CutShort));
    }

    #[test]
    fn a_gigabyte_is_refused_before_it_is_waited_for() {
        let mut file = bundle();
        let at = file.windows(12).position(|bytes| bytes == b"sealed to HQ").unwrap() - 4;
        file[at..at + 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        assert_eq!(read(&file, 64), Err(BundleError::Damaged));
        file[4..8].copy_from_slice(&(1_u32 << 30).to_le_bytes());
        assert_eq!(read(&file, 64), Err(BundleError::Header));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_flipped_bit_and_a_cut_never_pass(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut file = bundle();
            let at = at.index(file.len());
            prop_assert!(read(&file[..at], 64).is_err());
            file[at] ^= 1_u8 << bit;
            prop_assert!(read(&file, 64).is_err());
        }
    }
}
