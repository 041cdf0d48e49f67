//! HQ's keys: random bytes, the key that signs, and the folder where they lie.

#[cfg(feature = "simulated")]
pub mod simulated;

use std::path::{Path, PathBuf};

use ring::rand::SecureRandom;
use sync_protocol::sign::Signer;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The machine gave no random bytes.
    #[error("the machine gave no random numbers")]
    Random,
    /// A file could not be read or written.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What lies there is no key.
    #[error("{file} holds no key of headquarters")]
    NotAKey {
        /// Which.
        file: PathBuf,
    },
}

/// Returns random bytes from the machine.
///
/// # Errors
/// [`KeysError::Random`].
pub fn random<const N: usize>() -> Result<[u8; N], KeysError> {
    let mut bytes = [0; N];
    #[cfg(feature = "simulated")]
    if simulated::draw(&mut bytes) {
        return Ok(bytes);
    }
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| KeysError::Random)?;
    Ok(bytes)
}

/// Draws HQ's key and keeps it, for the owner's eyes only.
///
/// # Errors
/// [`KeysError`].
pub fn create(file: &Path) -> Result<Signer, KeysError> {
    let seed: [u8; 32] = random()?;
    keep_secret(file, &seed)?;
    read(file)
}

/// Reads HQ's key.
///
/// # Errors
/// [`KeysError`].
pub fn read(file: &Path) -> Result<Signer, KeysError> {
    let bytes = std::fs::read(file).map_err(|source| KeysError::File { file: file.to_owned(), source })?;
    let not_a_key = || KeysError::NotAKey { file: file.to_owned() };
    let seed: [u8; 32] = bytes.try_into().map_err(|_| not_a_key())?;
    Signer::from_seed(&seed).map_err(|_| not_a_key())
}

/// Writes a new file that only its owner may read, and waits until it is on the disk.
///
/// # Errors
/// [`KeysError::File`], also where the file exists.
pub fn keep_secret(file: &Path, bytes: &[u8]) -> Result<(), KeysError> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(file)
        .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()))
        .map_err(|source| KeysError::File { file: file.to_owned(), source })
}
