//! The one door through which everything written passes: sealed under the data key, bound to its place.
//!
//! Reading order: [`secret`], [`wrap`], [`tries`], [`ticket`].
//!
//! Source: docs/STORAGE.md, Sealing.

pub mod secret;
pub mod ticket;
pub mod tries;
pub mod wrap;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::keys::secret::DataKey;
use crate::keys::wrap::KeyFile;
use crate::store::error::{Part, StoreError};

/// Bytes that sealing adds: cipher id, opening, counter, tag.
pub const SEAL_BYTES: usize = 1 + OPENING_BYTES + 4 + 16;
/// ChaCha20-Poly1305 under an HKDF-SHA-256 subkey of the data key.
const CIPHER_CHACHA: u8 = 1;
const OPENING_BYTES: usize = 8;
/// Subkeys of other openings kept at hand; a home of ten years has thousands of openings.
const SUBKEYS_MAX: usize = 256;
const KEY_FILE: &str = "key";

/// Where a sealed value belongs; it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Which room wrote it.
    pub domain: Domain,
    /// Its key there.
    pub key: &'a [u8],
    /// Its place in a sequence; 0 where there is none.
    pub seq: u64,
    /// The version of the layout inside.
    pub schema: u8,
}

/// The rooms that seal. The numbers are part of the home's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Domain {
    /// `id/`.
    Identity = 1,
    /// `journal/`.
    Journal = 2,
    /// `blobs/`.
    Blob = 3,
    /// `words`.
    Words = 4,
    /// `sled/`, meta.
    Meta = 16,
    /// `sled/`, documents.
    Docs = 17,
    /// `sled/`, postings.
    Index = 18,
    /// `sled/`, ops.
    Log = 19,
    /// `sled/`, rulings.
    Rulings = 20,
}

/// The subkey of this opening and how many nonces it used.
struct Opening {
    name: [u8; OPENING_BYTES],
    key: LessSafeKey,
    counter: Cell<u32>,
}

/// How the data key of a home is come by.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// As it lies, where there is no PIN.
    Plain,
    /// As it was opened before.
    By(&'a DataKey),
}

/// The data key, opened.
pub struct Keys {
    home: [u8; 8],
    data_key: DataKey,
    root: hkdf::Prk,
    mac: hmac::Key,
    sealing: RefCell<Opening>,
    subkeys: RefCell<BTreeMap<[u8; OPENING_BYTES], LessSafeKey>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Fills bytes from the system's generator.
///
/// # Errors
/// [`StoreError::Key`].
pub fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut out = [0; N];
    #[cfg(feature = "simulated")]
    if crate::simulated::draw(&mut out) {
        return Ok(out);
    }
    SystemRandom::new().fill(&mut out).map_err(|_| StoreError::Key)?;
    Ok(out)
}

/// Reads the file with the data key; `None` where there is none.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::Newer`].
pub fn read_key(id: &Path) -> Result<Option<KeyFile>, StoreError> {
    let Some(bytes) = crate::home::read_twin(id, KEY_FILE)?.map(Zeroizing::new) else {
        return Ok(None);
    };
    match KeyFile::from_bytes(&bytes)? {
        Some(file) => Ok(Some(file)),
        None => Err(StoreError::damaged(Part::Keys, id)),
    }
}

/// Writes the file with the data key, and zeros over the one before.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn write_key(id: &Path, file: &KeyFile) -> Result<(), StoreError> {
    crate::home::replace_twin(id, KEY_FILE, &file.to_bytes())
}

/// Brings a copy of the key that a kill left behind up to the other; to be called under the home's lock.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn level_key(id: &Path) -> Result<(), StoreError> {
    crate::home::level_twin(id, KEY_FILE)
}

impl Keys {
    /// Draws a data key and writes it to the folder `id`, twice.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
    pub fn create(id: &Path) -> Result<Self, StoreError> {
        let home = random::<8>()?;
        let key = DataKey::from(Zeroizing::new(random::<32>()?));
        write_key(id, &KeyFile::Open { home, key: key.clone() })?;
        Self::unwrapped(home, key)
    }

    /// Reads the data key of the folder `id`; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Newer`] for a wrap that this build does not know, and [`StoreError::Locked`] where it
    /// lies under a PIN and nobody opened it.
    pub fn open(id: &Path, access: Access<'_>) -> Result<Option<Self>, StoreError> {
        let Some(file) = read_key(id)? else {
            return Ok(None);
        };
        let (home, key) = match (file, access) {
            (KeyFile::Open { home, key }, _) => (home, key),
            (KeyFile::Wrapped(wrapped), Access::By(key)) => (wrapped.home, key.clone()),
            (KeyFile::Wrapped(_), Access::Plain) => return Err(StoreError::Locked),
        };
        Self::unwrapped(home, key).map(Some)
    }

    fn unwrapped(home: [u8; 8], data_key: DataKey) -> Result<Self, StoreError> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"fieldbook home 1").extract(data_key.bytes());
        let okm = root.expand(&[b"names"], hmac::HMAC_SHA256).map_err(|_| StoreError::Key)?;
        let mac = hmac::Key::from(okm);
        let sealing = RefCell::new(Opening::draw(&root)?);
        Ok(Self { home, data_key, root, mac, sealing, subkeys: RefCell::default() })
    }

    /// Returns the random name this home got when it was made; copies share it.
    #[must_use]
    pub fn home_id(&self) -> [u8; 8] {
        self.home
    }

    /// Returns the key that opens everything here.
    #[must_use]
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// Returns 8 bytes that stand for `text` in keys and tell nobody without the data key what it was.
    #[must_use]
    pub fn opaque(&self, text: &[u8]) -> [u8; 8] {
        let mut out = [0; 8];
        out.copy_from_slice(hmac::sign(&self.mac, text).as_ref().split_at(8).0);
        out
    }

    /// Seals bytes for a place.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the system gives no random bytes.
    pub fn seal(&self, place: Place<'_>, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        if self.sealing.borrow().counter.get() == u32::MAX {
            let next = Opening::draw(&self.root)?;
            self.sealing.replace(next);
        }
        let opening = self.sealing.borrow();
        let counter = opening.counter.get();
        opening.counter.set(counter + 1);
        let mut out = Vec::with_capacity(bytes.len() + SEAL_BYTES);
        out.push(CIPHER_CHACHA);
        out.extend_from_slice(&opening.name);
        out.extend_from_slice(&counter.to_le_bytes());
        let mut body = bytes.to_vec();
        opening
            .key
            .seal_in_place_append_tag(nonce(counter), Aad::from(self.associated(place)), &mut body)
            .map_err(|_| StoreError::Key)?;
        out.append(&mut body);
        Ok(out)
    }

    /// Opens what was sealed for that place; `None` where it was changed, moved, or sealed under another key.
    #[must_use]
    pub fn open_sealed(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let rest = sealed.strip_prefix(&[CIPHER_CHACHA])?;
        let (name, rest) = rest.split_at_checked(OPENING_BYTES)?;
        let (counter, body) = rest.split_at_checked(4)?;
        let counter = u32::from_le_bytes(counter.try_into().ok()?);
        let mut body = body.to_vec();
        let associated = Aad::from(self.associated(place));
        let mut subkeys = self.subkeys.borrow_mut();
        if subkeys.len() > SUBKEYS_MAX {
            subkeys.clear();
        }
        let name: [u8; OPENING_BYTES] = name.try_into().ok()?;
        let key = match subkeys.entry(name) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(subkey(&self.root, &name)?),
        };
        let length = key.open_in_place(nonce(counter), associated, &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn associated(&self, place: Place<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(18 + place.key.len());
        out.push(place.domain as u8);
        out.push(place.schema);
        out.extend_from_slice(&self.home);
        out.extend_from_slice(&place.seq.to_le_bytes());
        out.extend_from_slice(place.key);
        out
    }
}

impl Opening {
    fn draw(root: &hkdf::Prk) -> Result<Self, StoreError> {
        let name = random()?;
        let key = subkey(root, &name).ok_or(StoreError::Key)?;
        Ok(Self { name, key, counter: Cell::new(0) })
    }
}

fn subkey(root: &hkdf::Prk, name: &[u8; OPENING_BYTES]) -> Option<LessSafeKey> {
    let info: [&[u8]; 2] = [b"opening", name];
    Some(LessSafeKey::new(UnboundKey::from(root.expand(&info, &CHACHA20_POLY1305).ok()?)))
}

fn nonce(counter: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes.split_at_mut(4).0.copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &[u8]) -> Place<'_> {
        Place { domain: Domain::Docs, key, seq: 7, schema: 1 }
    }

    #[test]
    fn a_sealed_value_opens_only_at_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path()).unwrap();
        let sealed = keys.seal(place(b"a"), b"customer").unwrap();
        assert_eq!(sealed.len(), 8 + SEAL_BYTES);
        assert_eq!(keys.open_sealed(place(b"a"), &sealed).unwrap(), b"customer");
        assert_eq!(keys.open_sealed(place(b"b"), &sealed), None);
        assert_eq!(keys.open_sealed(Place { seq: 8, ..place(b"a") }, &sealed), None);
        assert_eq!(keys.open_sealed(Place { domain: Domain::Log, ..place(b"a") }, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keys.open_sealed(place(b"a"), &changed), None, "byte {at}");
            assert_eq!(keys.open_sealed(place(b"a"), &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn another_opening_reads_it_and_another_home_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(folder.path()).unwrap();
        let sealed = keys.seal(place(b"a"), b"customer").unwrap();
        let again = Keys::open(folder.path(), Access::Plain).unwrap().unwrap();
        assert_eq!(again.open_sealed(place(b"a"), &sealed).unwrap(), b"customer");
        assert_ne!(again.seal(place(b"a"), b"customer").unwrap(), sealed);
        let other = Keys::create(tempfile::tempdir().unwrap().path()).unwrap();
        assert_eq!(other.open_sealed(place(b"a"), &sealed), None);
    }
}
