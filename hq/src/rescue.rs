//! A device whose PIN is forgotten: its key, sealed to headquarters beforehand, goes back to the device that asked.
//!
//! Source: docs/PROTOCOL.md, Rescue.

use records::kinds::staff::Role;
use sync_protocol::parcel::ParcelError;
use sync_protocol::rescue::{Request, RescueError, answer};
use sync_protocol::sign::PublicKey;

use crate::intake::desk::Desk;
use crate::keys::{KeysError, random};
use crate::money::actor::Actor;
use crate::store::StoreError;
use crate::store::devices::{Device, Standing};

/// Why no key was given out.
#[derive(Debug, thiserror::Error)]
pub enum RescueFault {
    /// What the device wrote is no request, or was changed.
    #[error("no request for a rescue: {0}")]
    Request(RescueError),
    /// It is sealed to another headquarters, or to a key that this one had before.
    #[error("the request is sealed to another headquarters")]
    NotOurs,
    /// No device has that short id.
    #[error("no device {0}")]
    Unknown(u32),
    /// The device is lost, revoked, suspended or out of use.
    #[error("device {id} is {standing:?}")]
    Gone {
        /// Its short id.
        id: u32,
        /// How it stands.
        standing: Standing,
    },
    /// The key in the request does not sign for that device.
    #[error("the key {key} is not device {id}'s")]
    OtherKey {
        /// The short id.
        id: u32,
        /// The key's fingerprint.
        key: String,
    },
    /// Whoever acts is no administrator.
    #[error("{0} is no administrator")]
    NotAdmin(String),
    /// A reason is missing.
    #[error("without a reason no key is given out")]
    NoReason,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine's random numbers.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// What goes back to the device, and what people compare by telephone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// The bytes of the answer.
    pub answer: Vec<u8>,
    /// The device.
    pub device: Device,
    /// The fingerprint of the request: the device shows the same.
    pub request: String,
}

impl Desk {
    /// Seals a device's key to the request that it wrote; the audit trail says who did it and why.
    ///
    /// # Errors
    /// [`RescueFault`]; then nothing is noted and nothing given out.
    pub fn rescue(
        &mut self,
        request: &[u8],
        actor: &Actor,
        reason: &str,
        now_ms: u64,
    ) -> Result<Rescued, RescueFault> {
        if actor.holds(&[Role::ADMIN]).is_none() {
            return Err(RescueFault::NotAdmin(actor.code.clone()));
        }
        if reason.trim().is_empty() {
            return Err(RescueFault::NoReason);
        }
        let request = Request::from_bytes(request).map_err(RescueFault::Request)?;
        let kept = request.escrow.open(&self.signer).map_err(|error| match error {
            RescueError::Parcel(ParcelError::NotForHim) => RescueFault::NotOurs,
            error => RescueFault::Request(error),
        })?;
        let id = kept.replica.0;
        let device = self.store.device(kept.replica)?.ok_or(RescueFault::Unknown(id))?;
        if !device.standing.takes_part() {
            return Err(RescueFault::Gone { id, standing: device.standing });
        }
        if !self.signs_for(&device, kept.device)? {
            return Err(RescueFault::OtherKey { id, key: kept.device.fingerprint() });
        }
        let answer = answer(&kept, request.reader, &random()?).map_err(RescueFault::Request)?;
        let request = request.reader.fingerprint();
        let about = format!("{id} {request} {} ({})", reason.trim(), actor.code);
        self.store.audit(device.branch, now_ms, "device rescue", &about)?;
        Ok(Rescued { answer, device, request })
    }

    /// Returns whether that key may sign for the device; before the first contact nobody knows better than the device.
    fn signs_for(&self, device: &Device, key: PublicKey) -> Result<bool, StoreError> {
        let own = device.key.is_none_or(|own| own == key);
        let more = || self.store.more_keys(device.replica);
        Ok(own || more()?.into_iter().any(|(other, confirmed)| confirmed && other == key))
    }
}

#[cfg(test)]
mod tests {
    use records::id::Replica;
    use sync_protocol::rescue::{Escrow, Kept, open_answer};
    use sync_protocol::sign::Signer;
    use zeroize::Zeroizing;

    use crate::cli::testing::Office;

    fn signer(n: u8) -> Signer {
        Signer::from_seed(&[n; 32]).unwrap()
    }

    /// Writes the request of a locked home and returns where it lies.
    fn request(office: &Office, hq: &Signer, replica: u32) -> String {
        let data_key = Zeroizing::new([9; 32]);
        let kept =
            Kept { home: *b"homename", replica: Replica(replica), device: signer(3).public(), data_key };
        let escrow = Escrow::seal(&kept, hq.public(), &[5; 64]).unwrap();
        let request = super::Request { reader: signer(2).public(), escrow };
        let file = office.file("request");
        std::fs::write(&file, request.to_bytes()).unwrap();
        file
    }

    fn rescue(office: &Office, file: &str, by: &str, why: &str) -> Result<String, String> {
        let out = office.file("answer");
        let words = ["device", "rescue", file, "--out", &out, "--as", by, "--reason", why];
        office.ask(&words).map(|_| out).map_err(|fault| fault.key.into_owned())
    }

    #[test]
    fn an_administrator_gives_the_key_back_to_the_device_that_asked_and_the_trail_says_why() {
        let office = Office::new();
        office.import("staff", "code,name,unit,roles\nX01,Xu,CO,admin\n");
        let code = office.done("device code --staff E01");
        let replica = u32::try_from(code["replica"].as_u64().unwrap()).unwrap();
        let hq = office.desk().signer;
        let file = request(&office, &hq, replica);
        let refused = |by, why| rescue(&office, &file, by, why).unwrap_err();
        assert_eq!(refused("E01", "forgotten"), "hq.rescue.not_admin");
        assert_eq!(refused("X01", " "), "hq.rescue.no_reason");
        let out = rescue(&office, &file, "X01", "forgotten, he called").unwrap();
        let (home, key) = open_answer(&std::fs::read(out).unwrap(), &signer(2)).unwrap();
        assert_eq!((home, *key), (*b"homename", [9; 32]));
        let trail = office.desk().store.audit_lines(None, 1).unwrap();
        let asked = signer(2).public().fingerprint();
        assert_eq!(trail[0].what, "device rescue");
        assert_eq!(trail[0].about, format!("{replica} {asked} forgotten, he called (X01)"));
        office.done(&format!("device lost {replica}"));
        assert_eq!(refused("X01", "forgotten"), "hq.rescue.gone");
    }

    #[test]
    fn a_request_of_another_headquarters_or_of_another_key_gets_nothing() {
        let office = Office::new();
        office.import("staff", "code,name,unit,roles\nX01,Xu,CO,admin\n");
        let code = office.done("device code --staff E01");
        let replica = u32::try_from(code["replica"].as_u64().unwrap()).unwrap();
        let asked = |file: &str| rescue(&office, file, "X01", "forgotten").unwrap_err();
        assert_eq!(asked(&request(&office, &signer(8), replica)), "hq.rescue.not_ours");
        let hq = office.desk().signer;
        assert_eq!(asked(&request(&office, &hq, 9_999)), "hq.device.unknown");
        let desk = office.desk();
        let mut device = desk.store.device(Replica(replica)).unwrap().unwrap();
        device.key = Some(signer(4).public());
        desk.store.device_put(&device).unwrap();
        drop(desk);
        assert_eq!(asked(&request(&office, &hq, replica)), "hq.rescue.other_key");
        let file = request(&office, &hq, replica);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[60] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(asked(&file), "hq.rescue.damaged");
        assert!(!std::path::Path::new(&office.file("answer")).exists());
    }
}
