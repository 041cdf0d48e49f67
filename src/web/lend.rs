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

/// The file of a running server; it goes with this value, unless another server's stands there meanwhile.
#[derive(Debug)]
pub struct Announced {
    home: PathBuf,
    place: Place,
}

impl Drop for Announced {
    fn drop(&mut self) {
        if read(&self.home).as_ref() == Some(&self.place) {
            // A file that stays is found stale by the next command: nobody answers there.
            let _ = std::fs::remove_file(self.home.join(FILE));
        }
    }
}

/// Says in the home where its pages are.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::NoSpace`].
pub fn announce(home: &Path, place: Place) -> Result<Announced, StoreError> {
    let text = serde_json::to_vec(&place).unwrap_or_default();
    home::write_whole(&home.join(FILE), &text)?;
    Ok(Announced { home: home.to_path_buf(), place })
}

/// Asks the pages of a home for it and returns where they are; `None` where none answer: nobody there holds it.
pub fn ask(home: &Path) -> Option<Place> {
    let place = read(home)?;
    let asked = crate::transport::ask_local(place.port, "/lend", &[("token", &place.token)]);
    // Another server may have taken the port since.
    asked.is_ok_and(|status| status == 200).then_some(place)
}

/// Tells the pages of a home to lock it, where there are any.
pub fn lock(home: &Path) {
    if let Some(place) = read(home) {
        let _ = crate::transport::ask_local(place.port, "/lock", &[("token", &place.token)]);
    }
}

fn read(home: &Path) -> Option<Place> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(home.join(FILE)).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
