//! Devices as an administrator looks at them: how each stands, what of it waits for him, and the steps that he takes.

use records::claim::lease;
use records::id::Replica;
use records::kinds::device::DEVICE_MACHINE;
use records::machine::Step;
use sync_protocol::sign::PublicKey;

use crate::enrol::EnrolError;
use crate::intake::desk::Desk;
use crate::money::refusal::Refusal;
use crate::people::Person;
use crate::store::StoreError;
use crate::store::devices::{Device, Standing};

/// A device and what there is to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The device.
    pub device: Device,
    /// Whose it is; `None` where nobody knows him.
    pub owner: Option<Person>,
    /// How many stretches of its log wait for a person.
    pub held_back: usize,
    /// The fingerprints of the keys that wait for one.
    pub keys: Vec<String>,
    /// Whether it gives its owner's claim numbers.
    pub leads: bool,
}

impl Watched {
    /// Returns how long the device may have been keeping work that HQ has not got, in milliseconds: since it was last
    /// heard of; `None` where it never was.
    #[must_use]
    pub fn silent_ms(&self, now_ms: u64) -> Option<u64> {
        self.device.seen_ms.map(|seen| now_ms.saturating_sub(seen))
    }

    /// Returns the steps that an administrator may take on it now.
    pub fn steps(&self) -> impl Iterator<Item = &'static Step> {
        let state = self.device.standing as u8;
        let taken_by_people = |step: &&Step| ["lose", "revoke", "retire"].contains(&step.name);
        DEVICE_MACHINE.steps.iter().filter(taken_by_people).filter(move |step| step.from.contains(&state))
    }
}

/// Why a step on a device was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No device has that short id.
    #[error("no device of this name")]
    Unknown,
    /// A rule stands against it.
    #[error("refused by rule {}", .0.rule)]
    Refused(Box<Refusal>),
    /// HQ's log, or the database.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Desk {
    /// Returns every device, those not heard of for longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn watched(&mut self) -> Result<Vec<Watched>, StoreError> {
        let devices = self.store.devices(None)?;
        let mut watched =
            devices.into_iter().map(|device| self.watch(device)).collect::<Result<Vec<_>, _>>()?;
        watched.sort_by_key(|watched| {
            let (gone, seen) = (!watched.device.standing.takes_part(), watched.device.seen_ms);
            (gone, seen.unwrap_or(u64::MAX), watched.device.replica)
        });
        Ok(watched)
    }

    /// Returns one device; `None` where nobody has that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn watched_one(&mut self, replica: Replica) -> Result<Option<Watched>, StoreError> {
        self.store.device(replica)?.map(|device| self.watch(device)).transpose()
    }

    fn watch(&mut self, device: Device) -> Result<Watched, StoreError> {
        let people = self.people()?;
        let owner = device.staff.and_then(|staff| people.staff.get(&staff)).cloned();
        let held = owner.as_ref().map(|owner| self.lease(&owner.code)).transpose()?.flatten();
        let turn = held.and_then(|held| lease::current(&held.turns));
        let waiting = self.keys_waiting(device.replica)?;
        Ok(Watched {
            held_back: self.store.held_back(device.replica)?.len(),
            keys: waiting.iter().map(PublicKey::fingerprint).collect(),
            leads: turn.is_some_and(|turn| turn.replica == device.replica),
            owner,
            device,
        })
    }

    /// Takes a step on a device, with the reason for it.
    ///
    /// # Errors
    /// W-07 where its state does not allow it, W-11 without a reason, [`DeviceError`].
    pub fn step_device(
        &mut self,
        replica: Replica,
        name: &str,
        reason: &str,
        now_ms: u64,
    ) -> Result<(), DeviceError> {
        let watched = self.watched_one(replica)?.ok_or(DeviceError::Unknown)?;
        let refused = |refusal: Refusal| DeviceError::Refused(Box::new(refusal));
        let Some(step) = watched.steps().find(|step| step.name == name) else {
            let state = DEVICE_MACHINE.states.get(usize::from(watched.device.standing as u8));
            let (zh, en) = state.map_or(("", ""), |state| (state.zh, state.en));
            let step = DEVICE_MACHINE.step(name).map_or(("", ""), |(_, step)| (step.zh, step.en));
            let refusal = Refusal::by("W-07").label("step", step.0, step.1).label("state", zh, en);
            return Err(refused(refusal.with("code", replica.0)));
        };
        if reason.trim().is_empty() {
            let refusal = Refusal::by("W-11").label("step", step.zh, step.en).with("code", replica.0);
            return Err(refused(refusal));
        }
        let standing = Standing::from_number(step.to).unwrap_or(Standing::Revoked);
        let mut device = watched.device;
        Ok(self.stand(&mut device, (step.name, reason.trim()), standing, now_ms)?)
    }
}
