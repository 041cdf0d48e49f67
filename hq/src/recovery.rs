//! After a restore: what devices show again of what the lost database held, under HQ's own signature or the author's.
//!
//! Source: docs/PROTOCOL.md, A restored HQ.

use records::id::{OpId, Replica};
use records::kinds::device::{DeviceKey, Installation};
use records::kinds::number;
use records::schema::Typed;
use sync_protocol::asides::Vouched;
use sync_protocol::columns;
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::limits::SEGMENT_OPS_MAX;
use sync_protocol::merge::Document;
use sync_protocol::message::{Certificate, Extract, Notice};
use sync_protocol::op::Row;
use sync_protocol::proof::{ExtractsProof, RulingProof};
use sync_protocol::ruling::{Judgement, Ruling, Verdict};
use sync_protocol::segment::{Body, Segment};
use sync_protocol::sign::PublicKey;

use crate::feed::Reader;
use crate::intake::alone::{Again, Alone};
use crate::intake::desk::Desk;
use crate::reading;
use crate::store::StoreError;
use crate::store::devices::{Device, Standing, Why};
use crate::store::log::Came;

impl Desk {
    /// Tells a device that read another history that HQ came back from a backup.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tell_restored(&self, cursor: &Cursor) -> Result<Option<Notice>, StoreError> {
        if cursor.incarnation == self.incarnation || cursor.incarnation == Incarnation::default() {
            return Ok(None);
        }
        let order = self.store.restored_from()?.unwrap_or(0);
        Ok(Some(Notice::Restored { order }))
    }

    /// Tells a device, once a backup, that the last one holds everything that it has read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tell_backed_up(&self, reader: &Reader, cursor: &Cursor) -> Result<Option<Notice>, StoreError> {
        let Some(order) = self.store.backup_order()?.filter(|_| cursor.incarnation == self.incarnation)
        else {
            return Ok(None);
        };
        for feed in reader.feeds() {
            if cursor.position(feed) > self.store.feed_backed_up(reader.home, feed)? {
                return Ok(None);
            }
        }
        let told = format!("backed up {}", reader.replica.0);
        if self.store.setting(&told)?.is_some_and(|told| told == order.to_le_bytes()) {
            return Ok(None);
        }
        self.store.set(&told, &order.to_le_bytes())?;
        Ok(Some(Notice::BackedUp { order }))
    }

    /// Takes back what HQ said of ops before it was restored. Anything that it did not sign changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn hear_rulings(&mut self, proof: &RulingProof) -> Result<(), StoreError> {
        let Some(began) = self.store.began_at()? else {
            return Ok(());
        };
        let most = u32::try_from(SEGMENT_OPS_MAX).unwrap_or(u32::MAX);
        let rulings = proof.open(&self.signer.public()).unwrap_or_default();
        let lost = |ruling: &Ruling| ruling.order < began && (1..=most).contains(&ruling.count);
        let mut again = Vec::new();
        for ruling in rulings.into_iter().filter(lost) {
            self.store.proven_put(&ruling)?;
            again.extend(self.judged_otherwise(&ruling, began)?);
        }
        self.rule_again(again)
    }

    /// Returns the ops of a ruling that this history judged anew before the ruling was shown, or knew less of.
    fn judged_otherwise(&mut self, ruling: &Ruling, began: u64) -> Result<Vec<Again>, StoreError> {
        let line = (ruling.replica, ruling.epoch);
        let Some(branch) = self.home(line.0)? else {
            return Ok(Vec::new());
        };
        let mut again = Vec::new();
        for seq in (ruling.first..).take(usize::try_from(ruling.count).unwrap_or(0)) {
            let id = OpId { replica: line.0, epoch: line.1, seq };
            let Some(row) = self.row(id)? else { continue };
            let (Some(told), Some(known)) =
                (ruling.of(seq, row.stamp), self.store.judgement(branch, id, row.stamp)?)
            else {
                continue;
            };
            if let Some(version) = stands_over(&told, &known, began) {
                let at = (told.order, ruling.cap_ms, version);
                again.push(Again { id, row, at, verdict: told.verdict });
            }
        }
        Ok(again)
    }

    /// Takes back ops that HQ gave out before it was restored.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn hear_extracts(&mut self, proof: &ExtractsProof, now_ms: u64) -> Result<(), StoreError> {
        if self.store.restored_from()?.is_none() {
            return Ok(());
        }
        let signer = self.signer.public();
        for extract in proof.open(&signer).unwrap_or_default() {
            self.take_extract(extract, now_ms)?;
        }
        Ok(())
    }

    /// Takes back a device whose first contact came after the backup: HQ's own signature says whose key it is. Where
    /// another key has the name by now, a person decides.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn hear_vouched(&mut self, vouched: &Vouched, now_ms: u64) -> Result<(), StoreError> {
        let Certificate { replica, key, staff, .. } = vouched.certificate;
        let lost = self.store.restored_from()?.is_some() && vouched.verify(&self.signer.public());
        if !lost || replica == Replica::HQ || key.is_small_order() {
            return Ok(());
        }
        let known = self.store.device(replica)?;
        if let Some(bound) = known.as_ref().and_then(|device| device.key) {
            if bound != key && self.store.key_add(replica, key)? {
                let branch = known.map_or(0, |device| device.branch);
                self.store.audit(branch, now_ms, "second key", &replica.0.to_string())?;
            }
            return Ok(());
        }
        let branch = match &known {
            Some(device) => Some(device.branch),
            None => self.branch_of(staff)?,
        };
        // Under which branch its log is kept never changes: not before its owner's is known.
        let Some(branch) = branch else { return Ok(()) };
        let mut device = known.unwrap_or_else(|| Device::named(replica, branch, (0, 0)));
        if device.standing == Standing::Pending {
            device.standing = Standing::Enrolled;
        }
        self.store.device_put(&Device { staff: Some(staff), key: Some(key), ..device })?;
        self.store.audit(branch, now_ms, "device known again", &replica.0.to_string())?;
        for extract in self.store.strangers_take(replica)? {
            self.take_extract(&extract, now_ms)?;
        }
        Ok(())
    }

    fn take_extract(&mut self, extract: &Extract, now_ms: u64) -> Result<(), StoreError> {
        if self.home(extract.replica)?.is_none() {
            return self.store.stranger_put(extract);
        }
        // What a newer version coded stays with the devices until this program reads it.
        let Ok(rows) = extract.open() else {
            return Ok(());
        };
        let people = rows.iter().any(|(_, row)| is_people(row));
        let rows = rows.into_iter().map(|(id, row)| (id.seq, row)).collect();
        self.alone(Alone { line: (extract.replica, extract.epoch), parent: extract.parent, rows }, now_ms)?;
        if people { self.know_devices_again(now_ms) } else { Ok(()) }
    }

    /// Takes in another replica's segment, proven by its author's key; returns whether the proof was good.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub fn take_carried(&mut self, segment: &Segment, came: Came) -> Result<bool, StoreError> {
        let proven = |key: &PublicKey| segment.verify(key).is_ok();
        if !self.keys_of(segment.replica)?.iter().any(proven) {
            return Ok(false);
        }
        let aside = if !self.may_come(segment)? {
            Some(Why::Revoked)
        } else if !self.is_in_own_epoch(segment)? {
            // Whoever carries it, each key has its own epochs.
            Some(Why::Unconfirmed)
        } else {
            None
        };
        if let Some(why) = aside {
            let branch = self.home(segment.replica)?.unwrap_or(0);
            self.store.hold_back(branch, segment, why, came)?;
            return Ok(true);
        }
        let taken = self.take_from(vec![segment.clone()], came)?;
        if taken.missing.is_some() && self.store.restored_from()?.is_some() {
            self.take_apart(segment, came.received_ms)?;
        }
        if segment.replica == Replica::HQ {
            self.hqs_own(segment, came.received_ms)?;
        }
        Ok(true)
    }

    /// Of a device that takes part no more only what HQ ruled on before.
    fn may_come(&self, segment: &Segment) -> Result<bool, StoreError> {
        let standing = self.store.device(segment.replica)?.map(|device| device.standing);
        if segment.replica == Replica::HQ || standing.is_some_and(|standing| standing.takes_part()) {
            return Ok(true);
        }
        for id in segment.ids() {
            if self.store.proven(id)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one of a device's keys signed a segment, and may write in its epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn is_in_own_epoch(&mut self, segment: &Segment) -> Result<bool, StoreError> {
        let keys = self.keys_of(segment.replica)?;
        let Some(key) = keys.iter().find(|key| segment.verify(key).is_ok()) else {
            return Ok(false);
        };
        let first = self.first_key(segment.replica)?;
        Ok(keys.len() == 1 || self.key_writes(first, segment, key)?)
    }

    /// The ops of a segment whose line has a hole before it.
    fn take_apart(&mut self, segment: &Segment, now_ms: u64) -> Result<(), StoreError> {
        let Ok(body) = Body::from_bytes(&segment.body) else {
            return Ok(());
        };
        let seqs: Vec<u64> = segment.ids().map(|id| id.seq).collect();
        let Ok(rows) = columns::decode(&body.rows, segment.line(), &seqs) else {
            return Ok(());
        };
        if body.test_clock && !self.test_clock {
            return Ok(());
        }
        let rows = seqs.into_iter().zip(rows).collect();
        self.alone(Alone { line: segment.line(), parent: body.parent, rows }, now_ms)
    }

    /// Returns the key that was bound to a device at its first contact.
    fn first_key(&self, replica: Replica) -> Result<Option<PublicKey>, StoreError> {
        Ok(self.store.device(replica)?.and_then(|device| device.key))
    }

    /// Returns the keys that sign for a replica.
    fn keys_of(&self, replica: Replica) -> Result<Vec<PublicKey>, StoreError> {
        if replica == Replica::HQ {
            return Ok(vec![self.signer.public()]);
        }
        let bound = self.first_key(replica)?;
        let more = self.store.more_keys(replica)?;
        Ok(bound.into_iter().chain(more.into_iter().filter(|key| key.1).map(|key| key.0)).collect())
    }

    /// HQ's own log came back: its next stamp is later than all that it gave, and it knows its devices again.
    fn hqs_own(&mut self, segment: &Segment, now_ms: u64) -> Result<(), StoreError> {
        let mut people = false;
        for id in segment.ids() {
            let Some(row) = self.row(id)? else { continue };
            self.stamped(row.stamp)?;
            people |= is_people(&row);
        }
        if people { self.know_devices_again(now_ms) } else { Ok(()) }
    }

    /// Makes the lines of devices again that were named, or had their key bound, after the backup: their documents in
    /// HQ's own log say who they are.
    fn know_devices_again(&mut self, now_ms: u64) -> Result<(), StoreError> {
        if self.store.restored_from()?.is_none() {
            return Ok(());
        }
        let mut documents = Vec::new();
        self.store.each_document::<StoreError>(Some(number::DEVICE), |_, indexed| {
            documents.push(indexed.document);
            Ok(())
        })?;
        for document in documents {
            self.know_device_again(&document, now_ms)?;
        }
        Ok(())
    }

    fn know_device_again(&mut self, document: &Document, now_ms: u64) -> Result<(), StoreError> {
        let named = typed::<Installation>(document).and_then(|installation| installation.replica);
        let Some(replica) = named.map(|named| Replica(named.0)).filter(|replica| *replica != Replica::HQ)
        else {
            return Ok(());
        };
        let standing = Standing::from_number(document.state).unwrap_or(Standing::Suspended);
        let known = self.store.device(replica)?;
        if let Some(device) = known.as_ref().filter(|device| device.key.is_some()) {
            // Reported lost or revoked after the backup: it stays out. To let one in again takes a person.
            let standing = if standing.takes_part() { device.standing } else { standing };
            // One that showed its certificate before its document came is told by it now.
            let row = Device { standing, document: device.document.or(Some(document.id)), ..device.clone() };
            if device.standing.takes_part() && row != *device {
                self.store.device_put(&row)?;
            }
            return Ok(());
        }
        let staff = reading::link(document, "owner");
        // Under which branch its log is kept never changes: not before its owner's is known.
        let Some(branch) = staff.map(|staff| self.branch_of(staff)).transpose()?.flatten() else {
            return Ok(());
        };
        let key = typed::<DeviceKey>(document).and_then(|key| <[u8; 32]>::try_from(key.public_key?.0).ok());
        let key = key.map(PublicKey);
        let device = known.unwrap_or_else(|| Device::named(replica, branch, (0, 0)));
        self.store.device_put(&Device { staff, document: Some(document.id), key, standing, ..device })?;
        // What it wrote may have been shown before its name.
        for extract in self.store.strangers_take(replica)? {
            self.take_extract(&extract, now_ms)?;
        }
        Ok(())
    }
}

/// Returns what a group of the document says now.
fn typed<T: Typed + serde::de::DeserializeOwned>(document: &Document) -> Option<T> {
    postcard::from_bytes(&document.registers.get(&T::GROUP.tag())?.value.bytes).ok()
}

/// Whether an op is about who works where and on which device.
fn is_people(row: &Row) -> bool {
    [number::DEVICE, number::STAFF, number::ORG].contains(&row.kind)
}

/// Returns the version under which HQ's earlier word stands over what it says now; `None` where it says nothing new.
///
/// `began` is the first order of this history. What was judged anew before the earlier word was shown gives way to it.
fn stands_over(told: &Judgement, known: &Judgement, began: u64) -> Option<u8> {
    let same = (told.order, told.effective, &told.verdict) == (known.order, known.effective, &known.verdict);
    if same || [told, known].iter().any(|judged| matches!(judged.verdict, Verdict::Deferred { .. })) {
        return None;
    }
    if known.order >= began {
        return Some(told.version.max(known.version).saturating_add(1));
    }
    (told.version > known.version).then_some(told.version)
}

#[cfg(test)]
mod tests;
