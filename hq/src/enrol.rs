//! How a device becomes a replica: a code with a one-time secret, then its key, bound once.
//!
//! Source: docs/SECURITY.md, Enrolment.

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Replica};
use records::kinds::device::{DEVICE_MACHINE, DeviceKey, Holder, Installation};
use records::kinds::number;
use records::kinds::staff::Role;
use records::schema::Typed;
use records::time::Zone;
use records::value::{Count, Digest, Ref, Target, Text};
use sync_protocol::cursor::Feed;
use sync_protocol::enrolment::{Enrolment, proof};
use sync_protocol::message::{Certificate, Enrol};
use sync_protocol::op::Write;
use sync_protocol::sign::PublicKey;

use crate::author::{AuthorError, NewOp, On};
use crate::intake::desk::Desk;
use crate::keys;
use crate::store::StoreError;
use crate::store::devices::{Device, Standing};

/// How long a code may be scanned: 24 hours.
pub const CODE_MS: u64 = 24 * 60 * 60 * 1000;
/// How long a certificate lets its device pull: 90 days.
const CERTIFICATE_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// How many sheet numbers a device gets at once.
const SHEETS: u32 = 10_000;

/// Why no code was issued.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// HQ could not write.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gave no random number.
    #[error(transparent)]
    Keys(#[from] keys::KeysError),
    /// Nobody has that staff code.
    #[error("nobody has that staff code")]
    NoSuchStaff,
    /// Several keys showed the device's secret: which one is meant has to be said.
    #[error("several keys wait for that device")]
    SeveralKeys(Vec<PublicKey>),
    /// No key, or more than one, has a fingerprint that begins so.
    #[error("no single key of that fingerprint waits")]
    NoSuchKey,
    /// He has no unit, or it is not known.
    #[error("his unit is not known")]
    NoUnit,
}

/// What becomes of a key that a device shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It is the device's key, now or since earlier.
    Yes,
    /// Another key has the name, or the code was read too late: an administrator decides.
    Unconfirmed,
    /// The proof is wrong, or the key is none.
    Refused,
}

/// Where and how devices reach HQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The address in codes.
    pub address: String,
    /// The pin of HQ's certificate, for `https`.
    pub tls_pin: Option<[u8; 32]>,
}

fn write<T: Typed>(value: &T) -> Write {
    Write { tag: T::GROUP.tag(), bytes: postcard::to_allocvec(value).unwrap_or_default() }
}

fn to<const KIND: u16>(id: DocId) -> Option<Ref<KIND>> {
    Some(Ref(Target::Doc(id)))
}

impl Desk {
    /// Names a new device of somebody's and returns its code.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn issue_code(
        &mut self,
        staff_code: &str,
        reach: &Reach,
        now_ms: u64,
    ) -> Result<Enrolment, EnrolError> {
        let people = self.people()?;
        let (staff, person) = people.by_code(staff_code).ok_or(EnrolError::NoSuchStaff)?;
        let unit = person.unit.ok_or(EnrolError::NoUnit)?;
        let place = people.units.get(&unit).ok_or(EnrolError::NoUnit)?;
        let branch = self.store.branch_number(people.branch(unit))?;
        let replica = self.free_name()?;
        let block = u32::try_from(self.store.count_up("sheets", 1)?).unwrap_or(u32::MAX);
        let first = block.saturating_sub(1).saturating_mul(SHEETS).saturating_add(1);
        let secret = keys::random()?;
        let writes = vec![
            write(&Installation { replica: Some(Count(replica.0)) }),
            write(&Holder { owner: to(staff), unit: to(unit), name: Some(Text(person.name.clone())) }),
        ];
        let created = self.write(vec![NewOp { kind: number::DEVICE, on: On::Create, writes }], now_ms)?;
        let device = Device {
            staff: Some(staff),
            document: created.first().copied().map(DocId),
            secret: Some(secret),
            issued_ms: now_ms,
            ..Device::named(replica, branch, (first, first.saturating_add(SHEETS - 1)))
        };
        self.store.device_put(&device)?;
        let claim_lease = self.lease_for_new(&device, &person.code, now_ms)?;
        self.feed_all(&device)?;
        self.store.audit(branch, now_ms, "device code", &replica.0.to_string())?;
        Ok(Enrolment {
            address: reach.address.clone(),
            hq_key: self.signer.public(),
            tls_pin: reach.tls_pin,
            incarnation: self.incarnation,
            replica,
            secret,
            issued_ms: now_ms,
            expires_ms: now_ms.saturating_add(CODE_MS),
            company: people.company(),
            center_code: place.code.clone(),
            staff,
            staff_code: person.code.clone(),
            staff_name: person.name.clone(),
            unit,
            unit_name: place.name.clone(),
            roles: person.roles.clone(),
            zone: Zone::SHANGHAI,
            sheet_block: device.sheets,
            claim_lease,
        })
    }

    /// Random and checked, never from a counter that a backup rewinds.
    fn free_name(&self) -> Result<Replica, EnrolError> {
        loop {
            let replica = Replica(u32::from_le_bytes(keys::random()?));
            if replica != Replica::HQ && self.store.device(replica)?.is_none() {
                return Ok(replica);
            }
        }
    }

    /// A new device of somebody who works with others already reads all that concerns him.
    fn feed_all(&mut self, device: &Device) -> Result<(), StoreError> {
        let others: Vec<_> = self.store.devices(device.staff)?;
        let own: Vec<_> = others.iter().map(|other| (other.branch, other.replica)).collect();
        // The company's are not looked through for it: they are many, and everybody reads them in their own feed.
        for doc in self.store.visible_of_own(device.staff, &own)? {
            let ops = self.history(doc)?;
            self.feed_history(device.branch, Feed::Replica(device.replica.0), ops.iter())?;
        }
        Ok(())
    }

    /// Binds the key that a device shows to its name, once.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn bind(&mut self, replica: Replica, shown: &Enrol, now_ms: u64) -> Result<Bound, EnrolError> {
        let Some(mut device) = self.store.device(replica)? else {
            return Ok(Bound::Refused);
        };
        // Whose key it is stands, and the request is signed with it: a restored HQ may know the key and no secret.
        if device.key == Some(shown.key) {
            return Ok(Bound::Yes);
        }
        let Some(secret) = device.secret else {
            return Ok(Bound::Refused);
        };
        if shown.key.is_small_order() || !same(&proof(&secret, replica, &shown.key), &shown.proof) {
            return Ok(Bound::Refused);
        }
        let in_time = shown.scanned_ms <= device.issued_ms.saturating_add(CODE_MS);
        if device.key.is_some() || !in_time {
            if self.store.key_add(replica, shown.key)? {
                self.store.audit(device.branch, now_ms, "second key", &replica.0.to_string())?;
            }
            return Ok(Bound::Unconfirmed);
        }
        device.name.clone_from(&shown.name);
        self.bind_key(&mut device, shown.key, now_ms)?;
        Ok(Bound::Yes)
    }

    /// Makes a key the one that signs for a device.
    pub(crate) fn bind_key(
        &mut self,
        device: &mut Device,
        key: PublicKey,
        now_ms: u64,
    ) -> Result<(), EnrolError> {
        device.key = Some(key);
        // A device reported lost or revoked before its first contact stays so; its work waits for a person.
        let begins = device.standing == Standing::Pending;
        if begins {
            device.standing = Standing::Enrolled;
        }
        self.store.device_put(device)?;
        if let Some(document) = device.document {
            let mut writes = vec![write(&DeviceKey { public_key: Some(Digest(key.0.to_vec())) })];
            writes.extend(step("enrol", "").filter(|_| begins));
            let op = NewOp { kind: number::DEVICE, on: On::Document(document), writes };
            self.write(vec![op], now_ms)?;
        }
        self.store.audit(device.branch, now_ms, "device enrolled", &device.replica.0.to_string())?;
        Ok(())
    }

    /// Moves a device to another standing by a step of its machine, and says so to everybody; `reason` may be empty.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub fn stand(
        &mut self,
        device: &mut Device,
        (name, reason): (&str, &str),
        standing: Standing,
        now_ms: u64,
    ) -> Result<(), EnrolError> {
        device.standing = standing;
        self.store.device_put(device)?;
        if let Some(document) = device.document {
            let op = NewOp {
                kind: number::DEVICE,
                on: On::Document(document),
                writes: step(name, reason).into_iter().collect(),
            };
            self.write(vec![op], now_ms)?;
        }
        self.store.audit(device.branch, now_ms, name, &device.replica.0.to_string())?;
        if matches!(standing, Standing::Lost | Standing::Revoked) {
            self.lease_of_gone(device, now_ms)?;
        }
        Ok(())
    }

    /// Returns the certificate of a device as it should be now; `None` where its owner is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn certificate(
        &mut self,
        device: &Device,
        key: PublicKey,
        now_ms: u64,
    ) -> Result<Option<Certificate>, StoreError> {
        let people = self.people()?;
        let Some((staff, person)) = device.staff.and_then(|id| Some((id, people.staff.get(&id)?))) else {
            return Ok(None);
        };
        let Some(unit) = person.unit else { return Ok(None) };
        let branch = self.branch_of(staff)?.unwrap_or(device.branch);
        Ok(Some(Certificate {
            replica: device.replica,
            key,
            staff,
            roles: person.roles.clone(),
            branch,
            unit,
            valid_until_ms: now_ms.saturating_add(CERTIFICATE_MS),
        }))
    }
}

/// A step of the device's machine; only HQ takes one.
fn step(name: &str, reason: &str) -> Option<Write> {
    let (step, _) = DEVICE_MACHINE.step(name)?;
    let decision = Decision {
        step,
        role: Role::ADMIN,
        on_behalf_of: None,
        to: None,
        reason: reason.to_owned(),
        saw: None,
        picks: None,
    };
    Some(Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).ok()? })
}

/// Compares without telling by its duration where two differ.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
