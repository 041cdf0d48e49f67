//! Another TLS key without enrolling anew: the next key's pin is told to devices, and used once they know it.
//!
//! Told are lists of pins with a version that only rises: first the key in use and the next one, and when the next one is
//! in use that one alone. A device says back which version it has on its disk.
//!
//! Source: docs/SECURITY.md, HQ's keys; docs/OPERATIONS.md, Another key.

use std::path::Path;

use records::id::Replica;
use sync_protocol::asides::{Ask, Pins, Tell};

use crate::data::{Data, DataError};
use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::{backup, tls};

/// The setting with the pin of the certificate in use, which stands in enrolment codes.
pub const IN_USE: &str = "tls pin";
/// The setting with the pins that devices are told.
const TOLD: &str = "tls pins";

fn known(replica: Replica) -> String {
    format!("tls known {}", replica.0)
}

/// Why no other key was prepared or taken into use.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Devices reach HQ without TLS, or by a certificate that nobody has served with yet.
    #[error("no certificate is in use")]
    NoTls,
    /// The next key is the one in use.
    #[error("that key is in use already")]
    InUse,
    /// There is a next key already.
    #[error("a next key was prepared already")]
    Prepared,
    /// There is no next key.
    #[error("no next key was prepared")]
    NotPrepared,
    /// Some devices do not know the next key.
    #[error("{} devices do not know the next key", .0.len())]
    Unknown(Vec<Replica>),
    /// The folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far a change of keys is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The pin of the key in use.
    pub in_use: [u8; 32],
    /// The pin of the next one; `None` where none was prepared.
    pub next: Option<[u8; 32]>,
    /// The version that devices are told; 0: never any other key than their enrolment's.
    pub version: u32,
    /// The devices that take part and know the newest version, and those that do not.
    pub known: Vec<Replica>,
    /// See `known`.
    pub unknown: Vec<Replica>,
}

impl Desk {
    fn pins(&self) -> Result<Pins, StoreError> {
        let kept = self.store.setting(TOLD)?;
        Ok(kept.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default())
    }

    fn known_version(&self, replica: Replica) -> Result<u32, StoreError> {
        let kept = self.store.setting(&known(replica))?;
        Ok(kept.and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes))
    }

    /// Hears which keys a device knows, and returns what it is told where HQ has newer ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tell_pins(&self, device: &Device, asks: &[Ask]) -> Result<Option<Tell>, StoreError> {
        let said = asks.iter().find_map(|ask| match ask {
            Ask::Pins(version) => Some(*version),
            _ => None,
        });
        if let Some(version) = said {
            self.store.set(&known(device.replica), &version.to_le_bytes())?;
        }
        let pins = self.pins()?;
        let lacks = pins.version > self.known_version(device.replica)?;
        Ok(lacks.then_some(Tell::Pins(pins)))
    }

    /// Tells devices these keys from now on, under a version above every one that was told before, by an HQ too that was
    /// lost since.
    fn tell_anew(&self, pins: Vec<[u8; 32]>) -> Result<(), StoreError> {
        let mut highest = self.pins()?.version;
        for device in self.store.devices(None)? {
            highest = highest.max(self.known_version(device.replica)?);
        }
        let pins = Pins { version: highest.saturating_add(1), pins };
        self.store.set(TOLD, &postcard::to_allocvec(&pins).unwrap_or_default())
    }

    /// Returns how far a change of keys is.
    ///
    /// # Errors
    /// [`RotationError::NoTls`], [`RotationError::Store`].
    pub fn rotation(&self) -> Result<Rotation, RotationError> {
        let in_use = self.store.setting(IN_USE)?.and_then(|pin| pin.try_into().ok());
        let in_use: [u8; 32] = in_use.ok_or(RotationError::NoTls)?;
        let Pins { version, pins } = self.pins()?;
        let next = pins.last().copied().filter(|pin| *pin != in_use);
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for device in self.store.devices(None)? {
            if device.standing.takes_part() {
                let knows = self.known_version(device.replica)? >= version;
                if knows { &mut known } else { &mut unknown }.push(device.replica);
            }
        }
        Ok(Rotation { in_use, next, version, known, unknown })
    }

    /// Tells devices the pin of the next key.
    ///
    /// # Errors
    /// [`RotationError`].
    pub fn prepare(&self, next: [u8; 32], now_ms: u64) -> Result<(), RotationError> {
        let Rotation { in_use, next: prepared, .. } = self.rotation()?;
        if next == in_use {
            return Err(RotationError::InUse);
        }
        if prepared.is_some() {
            return Err(RotationError::Prepared);
        }
        self.tell_anew(vec![in_use, next])?;
        Ok(self.store.audit(0, now_ms, "tls key prepared", &short(next))?)
    }

    /// Notes the key that is in use from now on; where it is the one that was prepared, devices forget the one before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_use(&self, pin: [u8; 32], now_ms: u64) -> Result<(), StoreError> {
        self.store.set(IN_USE, &pin)?;
        let told = self.pins()?.pins;
        if told.len() > 1 && told.last() == Some(&pin) {
            self.tell_anew(vec![pin])?;
            self.store.audit(0, now_ms, "tls key in use", &short(pin))?;
        }
        Ok(())
    }
}

/// Returns a pin as people compare it.
#[must_use]
pub fn short(pin: [u8; 32]) -> String {
    pin.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Data {
    /// Makes the next certificate beside the one in use, and returns its pin.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn next_tls(&self, address: &str) -> Result<[u8; 32], DataError> {
        let (cert, key) = self.tls_next();
        for left in [&cert, &key] {
            remove(left)?;
        }
        Ok(tls::create(&cert, &key, tls::host(address).ok_or(DataError::Address)?)?)
    }

    /// Puts the next certificate in the place of the one in use; the next start serves with it.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn switch_tls(&self) -> Result<(), DataError> {
        let ((cert, key), (next_cert, next_key)) = (self.tls(), self.tls_next());
        // The key last: where only it is left, the change was begun, and `finish_switch` ends it.
        rename(&next_cert, &cert)?;
        rename(&next_key, &key)?;
        backup::sync_folder(cert.parent()).map_err(backup::on(&cert))?;
        Ok(())
    }

    /// Ends a change of certificates that a power cut was in.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn finish_switch(&self) -> Result<(), DataError> {
        let (next_cert, next_key) = self.tls_next();
        if next_key.exists() && !next_cert.exists() {
            rename(&next_key, &self.tls().1)?;
        }
        Ok(())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), DataError> {
    Ok(std::fs::rename(from, to).map_err(backup::on(from))?)
}

fn remove(file: &Path) -> Result<(), DataError> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(backup::on(file)(error).into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path) -> (Data, Desk) {
        let data = Data::at(folder);
        data.init("https://hq.example:7400").unwrap();
        let desk = data.open(false).unwrap();
        (data, desk)
    }

    fn device(desk: &Desk, replica: u32) -> Device {
        let device = Device::named(Replica(replica), 0, (1, 2));
        desk.store.device_put(&device).unwrap();
        device
    }

    #[test]
    fn a_device_is_told_until_it_says_that_it_knows_and_of_the_key_before_only_until_the_next_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let (data, desk) = made(folder.path());
        let (one, two) = (device(&desk, 7), device(&desk, 8));
        assert_eq!(desk.tell_pins(&one, &[]).unwrap(), None);
        let before = desk.rotation().unwrap().in_use;
        let next = data.next_tls("https://hq.example:7400").unwrap();
        desk.prepare(next, 5).unwrap();
        assert!(matches!(desk.prepare([1; 32], 5), Err(RotationError::Prepared)));
        let told = Tell::Pins(Pins { version: 1, pins: vec![before, next] });
        assert_eq!(desk.tell_pins(&one, &[]).unwrap().as_ref(), Some(&told));
        assert_eq!(desk.tell_pins(&one, &[Ask::Pins(0)]).unwrap().as_ref(), Some(&told));
        assert_eq!(desk.tell_pins(&one, &[Ask::Pins(1)]).unwrap(), None);
        let Rotation { known, unknown, .. } = desk.rotation().unwrap();
        assert_eq!((known, unknown), (vec![one.replica], vec![two.replica]));
        data.switch_tls().unwrap();
        let (cert, key) = data.tls();
        let (_, pin) = tls::read(&cert, &key).unwrap();
        assert_eq!(pin, next);
        desk.in_use(pin, 9).unwrap();
        let told = Some(Tell::Pins(Pins { version: 2, pins: vec![next] }));
        assert_eq!(desk.tell_pins(&one, &[]).unwrap(), told);
        let done = desk.rotation().unwrap();
        assert_eq!((done.in_use, done.next, done.version), (next, None, 2));
        desk.in_use(pin, 9).unwrap();
        assert_eq!(desk.rotation().unwrap().version, 2, "each later start changes nothing");
    }

    #[test]
    fn a_restored_headquarters_tells_a_version_above_the_one_that_it_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (_, desk) = made(folder.path());
        let one = device(&desk, 7);
        desk.tell_pins(&one, &[Ask::Pins(9)]).unwrap();
        desk.prepare([1; 32], 5).unwrap();
        assert_eq!(desk.rotation().unwrap().version, 10);
    }

    #[test]
    fn a_change_that_was_cut_off_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (data, _) = made(folder.path());
        let next = data.next_tls("https://hq.example:7400").unwrap();
        rename(&data.tls_next().0, &data.tls().0).unwrap();
        data.finish_switch().unwrap();
        let (cert, key) = data.tls();
        assert_eq!(tls::read(&cert, &key).unwrap().1, next);
        data.finish_switch().unwrap();
        assert_eq!(tls::read(&cert, &key).unwrap().1, next);
    }
}
