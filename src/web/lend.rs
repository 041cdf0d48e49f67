//! How a command gets a home that the pages hold: it asks at their address, they give it, and take it back when next needed.
//!
//! The file `web` in the home says where the pages are and what to say there; it goes when they end.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::home;
use crate::store::error::StoreError;

const FILE: &str = "web";
const BYTES_MAX: u64 = 1024;

/// Where the pages of a home are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// What proves that the one who asks may read the home's folder.
    pub token: String,
}

/// The file of a running server; it goes with this value.
#[derive(Debug)]
pub struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        // A file that stays is found stale by the next command: nobody answers there.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Says in the home where its pages are.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn announce(home: &Path, place: &Place) -> Result<Announced, StoreError> {
    let path = home.join(FILE);
    let text = serde_json::to_vec(place).unwrap_or_default();
    home::write_whole(&path, &text)?;
    Ok(Announced(path))
}

/// Asks the pages of a home for it, where there are any. Whoever does not answer does not hold it.
pub fn ask(home: &Path) {
    if let Some(place) = read(home) {
        // The lock tells what came of it.
        let _ = crate::transport::ask_local(place.port, "/lend", &[("token", &place.token)]);
    }
}

fn read(home: &Path) -> Option<Place> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(home.join(FILE)).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
