//! The one door through which everything written passes: sealed under the data key, bound to its place.
//!
//! Source: docs/STORAGE.md, Sealing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};

use crate::store::error::{Part, StoreError};

/// Bytes that sealing adds: cipher id, opening, counter, tag.
pub const SEAL_BYTES: usize = 1 + OPENING_BYTES + 4 + 16;
/// ChaCha20-Poly1305 under an HKDF-SHA-256 subkey of the data key.
const CIPHER_CHACHA: u8 = 1;
const OPENING_BYTES: usize = 8;
/// Subkeys of other openings kept at hand; a home of ten years has thousands of openings.
const SUBKEYS_MAX: usize = 256;
/// The data key lies as it is: no PIN was set.
const WRAP_NONE: u8 = 0;
const KEY_FILE: &str = "key";
const KEY_FORMAT: u8 = 1;

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

/// The data key, opened.
pub struct Keys {
    home: [u8; 8],
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

impl Keys {
    /// Draws a data key and writes it to the folder `id`, twice.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::NoSpace`], [`StoreError::Key`].
    pub fn create(id: &Path) -> Result<Self, StoreError> {
        let (home, key) = (random::<8>()?, random::<32>()?);
        let mut file = vec![KEY_FORMAT, WRAP_NONE];
        file.extend_from_slice(&home);
        file.extend_from_slice(&key);
        crate::home::write_twin(id, KEY_FILE, &file)?;
        Self::unwrapped(home, &key)
    }

    /// Reads the data key of the folder `id`; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], and [`StoreError::Newer`] for a wrap that this build does not know.
    pub fn open(id: &Path) -> Result<Option<Self>, StoreError> {
        let Some(file) = crate::home::read_twin(id, KEY_FILE)? else {
            return Ok(None);
        };
        let damaged = || StoreError::damaged(Part::Keys, id);
        let (head, rest) = file.split_at_checked(2).ok_or_else(damaged)?;
        if head != [KEY_FORMAT, WRAP_NONE] {
            return Err(StoreError::Newer);
        }
        let (home, key) = rest.split_at_checked(8).ok_or_else(damaged)?;
        let home = home.try_into().map_err(|_| damaged())?;
        Self::unwrapped(home, key.try_into().map_err(|_| damaged())?).map(Some)
    }

    fn unwrapped(home: [u8; 8], key: &[u8; 32]) -> Result<Self, StoreError> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"fieldbook home 1").extract(key);
        let okm = root.expand(&[b"names"], hmac::HMAC_SHA256).map_err(|_| StoreError::Key)?;
        let mac = hmac::Key::from(okm);
        let sealing = RefCell::new(Opening::draw(&root)?);
        Ok(Self { home, root, mac, sealing, subkeys: RefCell::default() })
    }

    /// Returns the random name this home got when it was made; copies share it.
    #[must_use]
    pub fn home_id(&self) -> [u8; 8] {
        self.home
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
        let again = Keys::open(folder.path()).unwrap().unwrap();
        assert_eq!(again.open_sealed(place(b"a"), &sealed).unwrap(), b"customer");
        assert_ne!(again.seal(place(b"a"), b"customer").unwrap(), sealed);
        let other = Keys::create(tempfile::tempdir().unwrap().path()).unwrap();
        assert_eq!(other.open_sealed(place(b"a"), &sealed), None);
    }
}
