//! One code on two devices: the second key's work waits for a person, and once confirmed its device gets a name of its own.
//!
//! What it wrote under the first one's name stays as it is: its epochs are bound to its key, and nobody else's.
//! With its next contact it is told its own name, and from then on it is a device like any other.
//!
//! Source: docs/SECURITY.md, Enrolment.

use records::id::Replica;
use sync_protocol::message::Notice;
use sync_protocol::segment::{Body, Segment};
use sync_protocol::sign::PublicKey;

use crate::enrol::EnrolError;
use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;

fn name_of(replica: Replica, key: &PublicKey) -> String {
    let key: String = records::hex::of(&key.0);
    format!("renamed {} {key}", replica.0)
}

impl Desk {
    /// Returns the keys that showed a device's secret and that nobody confirmed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys_waiting(&self, replica: Replica) -> Result<Vec<PublicKey>, StoreError> {
        let more = self.store.more_keys(replica)?;
        Ok(more.into_iter().filter(|(_, confirmed)| !confirmed).map(|(key, _)| key).collect())
    }

    /// Lets another key of a device sign for it, takes in what that key's owner and the device sent for a person to look
    /// at, and gives each second device a name of its own; returns how many ops that were.
    ///
    /// `named` is the beginning of the key's fingerprint. Where one key waits it need not be named; where none does, only
    /// what waits is taken in.
    ///
    /// # Errors
    /// [`EnrolError::SeveralKeys`] where it has to be named, [`EnrolError::NoSuchKey`], [`EnrolError`].
    pub fn confirm(&mut self, replica: Replica, named: Option<&str>, now_ms: u64) -> Result<u64, EnrolError> {
        let chosen = self.chosen(replica, named)?;
        if let Some(key) = chosen {
            self.store.key_confirm(replica, key)?;
        }
        let more = self.store.more_keys(replica)?;
        let fresh: Vec<PublicKey> =
            more.into_iter().filter(|(_, confirmed)| *confirmed).map(|(key, _)| key).collect();
        if let Some(mut device) = self.store.device(replica)? {
            self.settle_copies(&mut device)?;
            if let (None, Some(first)) = (device.key, chosen.or(fresh.first().copied())) {
                self.bind_key(&mut device, first, now_ms)?;
            }
            self.store.device_put(&device)?;
            for key in fresh.iter().filter(|key| device.key != Some(**key)) {
                self.name_anew(&device, key, now_ms)?;
            }
        }
        let first = self.store.device(replica)?.and_then(|device| device.key);
        let mut new_ops = 0;
        for (id, segment, came) in self.store.held_back(replica)? {
            let signer = first.iter().chain(&fresh).find(|key| segment.verify(key).is_ok());
            // Another key's that nobody confirmed: it goes on waiting.
            let Some(signer) = signer else { continue };
            if first != Some(*signer) && !self.binds(&segment, signer)? {
                continue;
            }
            let taken = self.take_from(vec![segment], came)?;
            new_ops += taken.new_ops;
            // What lacks its past, tells another history or is newer than this program goes on waiting.
            let unusable = |notice: &Notice| matches!(notice, Notice::Fork { .. } | Notice::Refused(_));
            if taken.missing.is_none() && !taken.notices.iter().any(unusable) {
                self.store.held_back_taken(id)?;
            }
        }
        let home = self.home(replica)?.unwrap_or(0);
        self.store.audit(home, now_ms, "device confirm", &replica.0.to_string())?;
        Ok(new_ops)
    }

    /// Returns the key that a person means.
    fn chosen(&self, replica: Replica, named: Option<&str>) -> Result<Option<PublicKey>, EnrolError> {
        let waiting = self.keys_waiting(replica)?;
        let Some(named) = named.map(str::to_ascii_lowercase) else {
            return match waiting.as_slice() {
                [] => Ok(None),
                [key] => Ok(Some(*key)),
                [..] => Err(EnrolError::SeveralKeys(waiting)),
            };
        };
        let mut meant = waiting.into_iter().filter(|key| key.fingerprint().starts_with(&named));
        match (meant.next(), meant.next()) {
            (Some(key), None) if !named.is_empty() => Ok(Some(key)),
            _ => Err(EnrolError::NoSuchKey),
        }
    }

    /// Binds the epoch of a segment to a second key; false where it is somebody else's.
    fn binds(&mut self, segment: &Segment, key: &PublicKey) -> Result<bool, StoreError> {
        let (replica, epoch) = segment.line();
        if let Some(bound) = self.store.epoch_key(replica, epoch)? {
            return Ok(bound == *key);
        }
        let home = self.home(replica)?.unwrap_or(0);
        if self.store.line(home, segment.line())?.is_some() {
            return Ok(false);
        }
        self.store.epoch_key_put(replica, epoch, *key)?;
        Ok(true)
    }

    /// Whether a confirmed key may write in a segment's epoch: the first key in all but those of the others, another one
    /// in the epochs that were bound to it and in those that hang from them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_writes(
        &mut self,
        first: Option<PublicKey>,
        segment: &Segment,
        key: &PublicKey,
    ) -> Result<bool, StoreError> {
        let bound = self.store.epoch_key(segment.replica, segment.epoch)?;
        if bound.is_some() || first == Some(*key) {
            return Ok(bound.is_none_or(|bound| bound == *key));
        }
        let parent = Body::from_bytes(&segment.body).ok().and_then(|body| body.parent);
        let above = match parent {
            Some(parent) => self.store.epoch_key(segment.replica, parent.epoch)?,
            None => None,
        };
        Ok(above == Some(*key) && self.binds(segment, key)?)
    }

    /// Makes the name that a second device has from now on; without an owner in a unit there is none.
    fn name_anew(&mut self, device: &Device, key: &PublicKey, now_ms: u64) -> Result<(), EnrolError> {
        let named = name_of(device.replica, key);
        if self.store.setting(&named)?.is_some() {
            return Ok(());
        }
        let people = self.people()?;
        let Some(person) = device.staff.and_then(|staff| people.staff.get(&staff)) else {
            return Ok(());
        };
        let reach = crate::data::reach(&self.store, None)?;
        match self.issue_code(&person.code, &reach, now_ms) {
            Ok(enrolment) => {
                let bytes = postcard::to_allocvec(&enrolment).unwrap_or_default();
                Ok(self.store.set(&named, &bytes)?)
            }
            Err(EnrolError::NoSuchStaff | EnrolError::NoUnit) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns the name that a second device is to take: the bytes of its enrolment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn own_name(&self, replica: Replica, key: &PublicKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.setting(&name_of(replica, key))
    }
}
