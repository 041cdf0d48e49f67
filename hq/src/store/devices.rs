//! Devices: who they are, their keys, leases and one-time secrets, and what they sent that nobody may use yet.

use records::id::{DocId, Epoch, Replica};

use sync_protocol::segment::Segment;
use sync_protocol::sign::PublicKey;

use crate::store::engine::{Row, values};
use crate::store::log::Came;
use crate::store::{Store, StoreError, bytes, read};

/// How a device stands with HQ; the numbers are the states of the device's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A code was issued, no key came yet.
    Pending = 0,
    /// Syncs.
    Enrolled = 1,
    /// Pushes wait, nothing is sent.
    Suspended = 2,
    /// Reported lost.
    Lost = 3,
    /// Revoked.
    Revoked = 4,
    /// Not used any more.
    Retired = 5,
}

impl Standing {
    /// Returns the standing of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Pending, Self::Enrolled, Self::Suspended, Self::Lost, Self::Revoked, Self::Retired]
            .into_iter()
            .find(|standing| *standing as u8 == number)
    }

    /// Returns whether the device takes part.
    #[must_use]
    pub fn takes_part(self) -> bool {
        matches!(self, Self::Pending | Self::Enrolled)
    }
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its short id.
    pub replica: Replica,
    /// The branch under which its log is kept; fixed when the code was issued.
    pub branch: u32,
    /// Whose it is.
    pub staff: Option<DocId>,
    /// Its document in HQ's log.
    pub document: Option<DocId>,
    /// What it calls itself.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// The key that signs for it.
    pub key: Option<PublicKey>,
    /// The one-time secret of its code.
    pub secret: Option<[u8; 16]>,
    /// When the code was issued, milliseconds UTC.
    pub issued_ms: u64,
    /// When it was last heard of.
    pub seen_ms: Option<u64>,
    /// The lease it must show next.
    pub lease: [u8; 8],
    /// The lease before: a device that shows it lost an answer.
    pub lease_before: [u8; 8],
    /// Whether `lease` was shown already: its answer went out.
    pub lease_used: bool,
    /// Whether two installations write under its name.
    pub copied: bool,
    /// Whether it had read everything at the end of its last sync.
    pub level: bool,
    /// Its wall clock less HQ's, milliseconds, at the last sync.
    pub skew_ms: i64,
    /// Its block of sheet numbers, first and last.
    pub sheets: (u32, u32),
    /// The branch whose feed it read last; what its owner oversees now may be another one, or none.
    pub oversees: Option<u32>,
}

impl Device {
    /// Returns a device of that name of which nothing else is known yet.
    #[must_use]
    pub fn named(replica: Replica, branch: u32, sheets: (u32, u32)) -> Self {
        Self {
            replica,
            branch,
            staff: None,
            document: None,
            name: String::new(),
            standing: Standing::Pending,
            key: None,
            secret: None,
            issued_ms: 0,
            seen_ms: None,
            lease: [0; 8],
            lease_before: [0; 8],
            lease_used: false,
            copied: false,
            level: false,
            skew_ms: 0,
            sheets,
            oversees: None,
        }
    }
}

/// Returns a segment's bytes, and the name under which it waits.
fn whole(segment: &Segment) -> (Vec<u8>, [u8; 32]) {
    let body = bytes(segment);
    let hash = sync_protocol::chain::sha256(&[&body]);
    (body, hash)
}

const COLUMNS: &str = "replica, branch, staff, document, name, state, key, secret, issued_ms, seen_ms, lease, \
                       lease_before, lease_used, copied, level, skew_ms, sheet_from, sheet_to, oversees";
const OVER: &str = "branch = excluded.branch, staff = excluded.staff, document = excluded.document, \
                    name = excluded.name, state = excluded.state, key = excluded.key, secret = excluded.secret, \
                    issued_ms = excluded.issued_ms, seen_ms = excluded.seen_ms, lease = excluded.lease, \
                    lease_before = excluded.lease_before, lease_used = excluded.lease_used, \
                    copied = excluded.copied, level = excluded.level, skew_ms = excluded.skew_ms, \
                    sheet_from = excluded.sheet_from, sheet_to = excluded.sheet_to, oversees = excluded.oversees";

/// A segment that waits for a person: the number of its row, and when it came.
fn waiting(row: &Row<'_>) -> Result<(u64, Segment, Came), StoreError> {
    let came = Came { received_ms: row.get(2)?, skew_ms: row.get(3)? };
    Ok((row.get(0)?, read("held_back", &row.get::<Vec<u8>>(1)?)?, came))
}

fn device(row: &Row<'_>) -> Result<Device, StoreError> {
    let doc = |bytes: Option<Vec<u8>>| bytes.map(|bytes| read("replicas", &bytes)).transpose();
    Ok(Device {
        replica: Replica(row.get(0)?),
        branch: row.get(1)?,
        staff: doc(row.get(2)?)?,
        document: doc(row.get(3)?)?,
        name: row.get(4)?,
        standing: Standing::from_number(row.get(5)?).ok_or(StoreError::Damaged { table: "replicas" })?,
        key: row.get::<Option<[u8; 32]>>(6)?.map(PublicKey),
        secret: row.get(7)?,
        issued_ms: row.get(8)?,
        seen_ms: row.get(9)?,
        lease: row.get(10)?,
        lease_before: row.get(11)?,
        lease_used: row.get(12)?,
        copied: row.get(13)?,
        level: row.get(14)?,
        skew_ms: row.get(15)?,
        sheets: (row.get(16)?, row.get(17)?),
        oversees: row.get(18)?,
    })
}

/// Why a segment waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its key is not the one bound to the replica.
    Unconfirmed = 1,
    /// The device is suspended, lost, revoked or retired.
    Revoked = 2,
    /// Coded by a newer version: it is kept as it came.
    Newer = 3,
}

impl Store {
    /// Keeps a device, over its earlier line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn device_put(&self, device: &Device) -> Result<(), StoreError> {
        let (staff, document) = (device.staff.as_ref().map(bytes), device.document.as_ref().map(bytes));
        self.db.run(
            &format!(
                "INSERT INTO replicas ({COLUMNS})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
                 ON CONFLICT (replica) DO UPDATE SET {OVER}"
            ),
            values![
                device.replica.0,
                device.branch,
                staff.as_ref(),
                document.as_ref(),
                &device.name,
                device.standing as u8,
                device.key.as_ref().map(|key| &key.0),
                device.secret.as_ref(),
                device.issued_ms,
                device.seen_ms,
                &device.lease,
                &device.lease_before,
                device.lease_used,
                device.copied,
                device.level,
                device.skew_ms,
                device.sheets.0,
                device.sheets.1,
                device.oversees
            ],
        )?;
        Ok(())
    }

    /// Returns a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn device(&self, replica: Replica) -> Result<Option<Device>, StoreError> {
        let sql = &format!("SELECT {COLUMNS} FROM replicas WHERE replica = ?1");
        self.db.one(sql, values![replica.0], device)
    }

    /// Returns every device, or those of one person, by replica.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn devices(&self, staff: Option<DocId>) -> Result<Vec<Device>, StoreError> {
        let staff = staff.as_ref().map(bytes);
        let (filter, values): (_, &[_]) = match &staff {
            Some(staff) => ("WHERE staff = ?1", values![staff]),
            None => ("", &[]),
        };
        let sql = &format!("SELECT {COLUMNS} FROM replicas {filter} ORDER BY replica");
        self.db.all(sql, values, device)
    }

    /// Returns the branch under which a replica's log is kept; `None` for an unknown one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn branch_of(&self, replica: Replica) -> Result<Option<u32>, StoreError> {
        if replica == Replica::HQ {
            return Ok(Some(0));
        }
        let sql = "SELECT branch FROM replicas WHERE replica = ?1";
        self.db.one(sql, values![replica.0], |row| row.get(0))
    }

    /// Returns HQ's number of a branch, given its unit; a new unit gets the next number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn branch_number(&self, unit: DocId) -> Result<u32, StoreError> {
        let key = bytes(&unit);
        let sql = "SELECT number FROM branches WHERE unit = ?1";
        if let Some(number) = self.db.one(sql, values![&key], |row| row.get(0))? {
            return Ok(number);
        }
        self.db.only(
            "INSERT INTO branches (number, unit) VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM branches), ?1)
             RETURNING number",
            values![&key],
        )
    }

    /// Notes another key that proved the replica's secret, and returns whether it is new; nobody may use what it signs
    /// until it is confirmed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_add(&self, replica: Replica, key: PublicKey) -> Result<bool, StoreError> {
        let added = self.db.run(
            "INSERT INTO more_keys VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
            values![replica.0, &key.0],
        )?;
        Ok(added > 0)
    }

    /// Binds an epoch to a key beside the replica's own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn epoch_key_put(&self, replica: Replica, epoch: Epoch, key: PublicKey) -> Result<(), StoreError> {
        self.db.run("INSERT INTO epoch_keys VALUES (?1, ?2, ?3) ON CONFLICT (replica, epoch) DO UPDATE SET key = excluded.key", values![replica.0, epoch.0, &key.0])?;
        Ok(())
    }

    /// Returns the key that an epoch is bound to; `None`: the replica's own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn epoch_key(&self, replica: Replica, epoch: Epoch) -> Result<Option<PublicKey>, StoreError> {
        let sql = "SELECT key FROM epoch_keys WHERE replica = ?1 AND epoch = ?2";
        self.db.one(sql, values![replica.0, epoch.0], |row| row.get(0).map(PublicKey))
    }

    /// Returns the keys beside the one bound at enrolment, and whether they were confirmed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn more_keys(&self, replica: Replica) -> Result<Vec<(PublicKey, bool)>, StoreError> {
        let sql = "SELECT key, confirmed FROM more_keys WHERE replica = ?1 ORDER BY key";
        self.db.all(sql, values![replica.0], |row| Ok((PublicKey(row.get(0)?), row.get(1)?)))
    }

    /// Lets another key of a replica sign for it from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn key_confirm(&self, replica: Replica, key: PublicKey) -> Result<(), StoreError> {
        let sql = "UPDATE more_keys SET confirmed = 1 WHERE replica = ?1 AND key = ?2";
        self.db.run(sql, values![replica.0, &key.0])?;
        Ok(())
    }

    /// Keeps a segment for a person to look at; the same one twice is kept once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hold_back(&self, branch: u32, segment: &Segment, why: Why, came: Came) -> Result<(), StoreError> {
        let (body, hash) = whole(segment);
        self.db.run(
            "INSERT INTO held_back (id, branch, replica, reason, received_ms, skew_ms, hash, segment)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM held_back), ?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO NOTHING",
            values![branch, segment.replica.0, why as u8, came.received_ms, came.skew_ms, &hash, &body],
        )?;
        Ok(())
    }

    /// Returns whether a segment waits for a person already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_held_back(&self, branch: u32, segment: &Segment) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM held_back WHERE branch = ?1 AND replica = ?2 AND hash = ?3";
        Ok(self.db.one(sql, values![branch, segment.replica.0, &whole(segment).1], |_| Ok(()))?.is_some())
    }

    /// Returns how many segments wait for a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_back_count(&self) -> Result<u64, StoreError> {
        self.db.only("SELECT COUNT(*) FROM held_back", &[])
    }

    /// Returns how many bytes of a device wait for a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_back_bytes(&self, replica: Replica) -> Result<u64, StoreError> {
        let sql =
            "SELECT CAST(COALESCE(SUM(LENGTH(segment)), 0) AS BIGINT) FROM held_back WHERE replica = ?1";
        self.db.only(sql, values![replica.0])
    }

    /// Returns the segments that wait for a person, in order of arrival, each under the number of its row, with when
    /// it came.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_back(&self, replica: Replica) -> Result<Vec<(u64, Segment, Came)>, StoreError> {
        let sql = "SELECT id, segment, received_ms, skew_ms FROM held_back WHERE replica = ?1 ORDER BY id";
        self.db.all(sql, values![replica.0], waiting)
    }

    /// Returns the first segment behind row `after` that a newer version coded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newer_held_back(&self, after: u64) -> Result<Option<(u64, Segment, Came)>, StoreError> {
        let sql = "SELECT id, segment, received_ms, skew_ms FROM held_back WHERE reason = ?1 AND id > ?2 ORDER BY id LIMIT 1";
        self.db.one(sql, values![Why::Newer as u8, after], waiting)
    }

    /// Forgets what waited under that number: it was taken in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held_back_taken(&self, id: u64) -> Result<(), StoreError> {
        self.db.run("DELETE FROM held_back WHERE id = ?1", values![id])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn someone(replica: u32) -> Device {
        Device {
            replica: Replica(replica),
            branch: 2,
            staff: None,
            document: None,
            name: "tablet".into(),
            standing: Standing::Enrolled,
            key: Some(PublicKey([7; 32])),
            secret: Some([1; 16]),
            issued_ms: 5,
            seen_ms: None,
            lease: [1; 8],
            lease_before: [0; 8],
            lease_used: false,
            copied: false,
            level: true,
            skew_ms: -9,
            sheets: (1, 999),
            oversees: Some(2),
        }
    }

    #[test]
    fn a_device_reads_back_and_knows_its_branch() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        store.device_put(&someone(u32::MAX)).unwrap();
        assert_eq!(store.device(Replica(u32::MAX)).unwrap(), Some(someone(u32::MAX)));
        assert_eq!(store.devices(None).unwrap().len(), 1);
        assert_eq!(store.branch_of(Replica(u32::MAX)).unwrap(), Some(2));
        assert_eq!(store.branch_of(Replica(3)).unwrap(), None);
        assert_eq!(store.branch_of(Replica::HQ).unwrap(), Some(0));
    }
}
