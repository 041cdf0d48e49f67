//! The data key under a PIN: ChaCha20-Poly1305 under Argon2id, the parameters beside it.
//!
//! ```text
//! 0   1, the format
//! 1   0: no PIN, the data key as it is; 1: under a PIN
//! 2   the home's random name, 8 bytes
//! 10  no PIN: data key 32
//!     PIN: KiB of memory u32 · passes u32 · lanes u32 · salt 16 · data key and tag 48
//! ```
//!
//! Everything before the sealed key is its associated data. The salt is new with each PIN, so the nonce may be zero.
//!
//! Source: docs/STORAGE.md, The PIN.

use argon2::{Algorithm, Argon2, Block, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use crate::keys::secret::{DataKey, Pin};
use crate::store::error::StoreError;

/// The data key lies as it is: no PIN was set.
const WRAP_NONE: u8 = 0;
/// The data key lies under a PIN.
const WRAP_PIN: u8 = 1;
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 2 + 8 + 12 + 16;
const SEALED_BYTES: usize = 32 + 16;

/// What a guess costs: how much memory, how many passes over it, in how many lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Params {
    /// What a device takes that manages it.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// What every device takes at least.
    pub const FLOOR: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// What a device may take, the dearest first.
    pub const LADDER: [Self; 4] = [
        Self::STANDARD,
        Self { memory_kib: 46 * 1024, passes: 3, lanes: 1 },
        Self { memory_kib: 32 * 1024, passes: 3, lanes: 1 },
        Self::FLOOR,
    ];

    /// Returns the parameters that were read from a file; `None` for what no home was ever given: 19 MiB to 1 GiB of
    /// memory, 1 to 16 passes, 1 to 4 lanes.
    #[must_use]
    pub fn checked(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let fits = (19 * 1024..=1024 * 1024).contains(&memory_kib)
            && (1..=16).contains(&passes)
            && (1..=4).contains(&lanes);
        fits.then_some(Self { memory_kib, passes, lanes })
    }

    /// Returns what one guess costs beside another, in KiB written.
    #[must_use]
    pub fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    /// Returns MiB of memory, passes and lanes.
    #[must_use]
    pub fn told(self) -> (u32, u32, u32) {
        (self.memory_kib / 1024, self.passes, self.lanes)
    }
}

/// What the key file of a home says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFile {
    /// There is no PIN.
    Open {
        /// The home's random name.
        home: [u8; 8],
        /// The data key.
        key: DataKey,
    },
    /// There is one.
    Wrapped(Wrapped),
}

/// A data key under a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The home's random name.
    pub home: [u8; 8],
    /// What a guess costs.
    pub params: Params,
    salt: [u8; 16],
    sealed: [u8; SEALED_BYTES],
}

impl KeyFile {
    /// Returns the home's random name.
    #[must_use]
    pub fn home(&self) -> [u8; 8] {
        match self {
            Self::Open { home, .. } => *home,
            Self::Wrapped(wrapped) => wrapped.home,
        }
    }

    /// Returns the bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + SEALED_BYTES));
        match self {
            Self::Open { home, key } => {
                out.extend_from_slice(&[FORMAT, WRAP_NONE]);
                out.extend_from_slice(home);
                out.extend_from_slice(key.bytes());
            }
            Self::Wrapped(wrapped) => {
                out.extend_from_slice(&wrapped.head());
                out.extend_from_slice(&wrapped.sealed);
            }
        }
        out
    }

    /// Reads the bytes of the file; nothing is derived and nothing allocated by what they say.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a wrap that this build does not know; `None` stands for bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Option<Self>, StoreError> {
        let Some(([format, wrap], rest)) = bytes.split_first_chunk::<2>() else {
            return Ok(None);
        };
        if *format != FORMAT || ![WRAP_NONE, WRAP_PIN].contains(wrap) {
            return Err(StoreError::Newer);
        }
        let Some((home, rest)) = rest.split_first_chunk::<8>() else {
            return Ok(None);
        };
        if *wrap == WRAP_NONE {
            return Ok(DataKey::of(rest).map(|key| Self::Open { home: *home, key }));
        }
        Ok(Wrapped::read(*home, rest).map(Self::Wrapped))
    }
}

impl Wrapped {
    /// Seals a data key under a PIN; `salt` is fresh.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the memory is not to be had.
    pub fn seal(
        home: [u8; 8],
        key: &DataKey,
        pin: &Pin,
        params: Params,
        salt: [u8; 16],
    ) -> Result<Self, StoreError> {
        let mut wrapped = Self { home, params, salt, sealed: [0; SEALED_BYTES] };
        let (under, head) = (wrapped.derived(pin)?, wrapped.head());
        let (body, tag) = wrapped.sealed.split_at_mut(32);
        body.copy_from_slice(key.bytes());
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let made = under.seal_in_place_separate_tag(nonce, Aad::from(head), body);
        tag.copy_from_slice(made.map_err(|_| StoreError::Key)?.as_ref());
        Ok(wrapped)
    }

    /// Opens it with a PIN; `None` where it is another one, or the file was changed.
    ///
    /// # Errors
    /// [`StoreError::Key`] where the memory is not to be had.
    pub fn open(&self, pin: &Pin) -> Result<Option<DataKey>, StoreError> {
        let under = self.derived(pin)?;
        let mut body = Zeroizing::new(self.sealed);
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let opened = under.open_in_place(nonce, Aad::from(self.head()), &mut body[..]);
        Ok(opened.ok().and_then(|key| DataKey::of(key)))
    }

    fn read(home: [u8; 8], rest: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let (memory, rest) = rest.split_first_chunk::<4>()?;
        let (passes, rest) = rest.split_first_chunk::<4>()?;
        let (lanes, rest) = rest.split_first_chunk::<4>()?;
        let (salt, sealed) = rest.split_first_chunk::<16>()?;
        let params = Params::checked(number(memory), number(passes), number(lanes))?;
        Some(Self { home, params, salt: *salt, sealed: sealed.try_into().ok()? })
    }

    fn head(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES);
        out.extend_from_slice(&[FORMAT, WRAP_PIN]);
        out.extend_from_slice(&self.home);
        for number in [self.params.memory_kib, self.params.passes, self.params.lanes] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.salt);
        out
    }

    fn derived(&self, pin: &Pin) -> Result<LessSafeKey, StoreError> {
        let key = derive(pin.bytes(), &self.salt, self.params)?;
        UnboundKey::new(&CHACHA20_POLY1305, &key[..]).map(LessSafeKey::new).map_err(|_| StoreError::Key)
    }
}

/// Derives a key from a secret; the memory that it took is wiped.
///
/// # Errors
/// [`StoreError::Key`] where the memory is not to be had.
pub fn derive(secret: &[u8], salt: &[u8; 16], params: Params) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let Params { memory_kib, passes, lanes } = params;
    let argon = argon2::Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| StoreError::Key)?;
    let mut memory: Vec<Block> = Vec::new();
    // A device without so much memory says so; an allocation that failed later would end the process.
    memory.try_reserve_exact(argon.block_count()).map_err(|_| StoreError::Key)?;
    memory.resize(argon.block_count(), Block::default());
    let mut key = Zeroizing::new([0; 32]);
    let derived = Argon2::new(Algorithm::Argon2id, Version::V0x13, argon).hash_password_into_with_memory(
        secret,
        salt,
        &mut key[..],
        &mut memory,
    );
    memory.iter_mut().for_each(Zeroize::zeroize);
    derived.map_err(|_| StoreError::Key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: [u8; 8] = *b"homename";

    fn wrapped(pin: &str) -> Wrapped {
        let key = DataKey::of(&[7; 32]).unwrap();
        Wrapped::seal(HOME, &key, &Pin::typed(pin), Params::FLOOR, [3; 16]).unwrap()
    }

    fn read(bytes: &[u8]) -> Option<Wrapped> {
        match KeyFile::from_bytes(bytes) {
            Ok(Some(KeyFile::Wrapped(wrapped))) => Some(wrapped),
            _ => None,
        }
    }

    #[test]
    fn a_wrap_opens_with_its_pin_and_with_no_other() {
        let file = KeyFile::Wrapped(wrapped("4711")).to_bytes();
        let again = read(&file).unwrap();
        assert_eq!(again.home, HOME);
        assert_eq!(again.open(&Pin::typed("4711")).unwrap(), DataKey::of(&[7; 32]));
        for other in ["4712", "", "47111", "４７１２"] {
            assert_eq!(again.open(&Pin::typed(other)).unwrap(), None, "{other}");
        }
        assert!(!file.windows(32).any(|bytes| bytes == [7; 32]));
    }

    #[test]
    fn a_flipped_byte_or_a_cut_is_an_error_and_never_another_key() {
        let file = KeyFile::Wrapped(wrapped("4711")).to_bytes();
        for at in 0..file.len() {
            let mut changed = file.to_vec();
            changed[at] ^= 0x01;
            // One with other parameters that still fit derives another key, and the seal holds that too.
            let opened = read(&changed).and_then(|wrapped| wrapped.open(&Pin::typed("4711")).unwrap());
            assert_eq!(opened, None, "byte {at}");
            assert_eq!(read(&file[..at]), None, "cut at {at}");
        }
        assert_eq!(read(&[&file[..], &[0]].concat()), None);
        let open = KeyFile::Open { home: HOME, key: DataKey::of(&[7; 32]).unwrap() }.to_bytes();
        for at in 0..open.len() {
            assert!(!matches!(KeyFile::from_bytes(&open[..at]), Ok(Some(_))), "cut at {at}");
        }
    }

    #[test]
    fn parameters_out_of_bounds_are_refused_before_anything_is_allocated() {
        let check = |memory: u32, passes: u32, lanes: u32, fits: bool| {
            let mut file = KeyFile::Wrapped(wrapped("4711")).to_bytes();
            for (at, number) in [(10, memory), (14, passes), (18, lanes)] {
                file[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            assert_eq!(read(&file).is_some(), fits, "{memory} KiB, {passes} passes, {lanes} lanes");
        };
        check(19 * 1024, 1, 1, true);
        check(1024 * 1024, 16, 4, true);
        check(19 * 1024 - 1, 2, 1, false);
        check(1024 * 1024 + 1, 2, 1, false);
        check(u32::MAX, 2, 1, false);
        check(64 * 1024, 0, 1, false);
        check(64 * 1024, 17, 1, false);
        check(64 * 1024, u32::MAX, 1, false);
        check(64 * 1024, 3, 0, false);
        check(64 * 1024, 3, 5, false);
        assert!(Params::LADDER.windows(2).all(|pair| pair[0].work() > pair[1].work()));
    }
}
