//! Backups and restores: what a backup held, and the histories that this database descends from.

use std::path::Path;

use sync_protocol::chain::Line;
use sync_protocol::cursor::{Feed, Incarnation};

use super::feeds::key;
use crate::store::engine::{Engine, values};
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError};

/// What a restore leaves free above every order that the lost database may have given.
const ORDERS_SKIPPED: u64 = 1 << 32;
/// Orders begin at the seconds since 2020 times this, where that is more: later restores begin higher.
const ORDERS_A_SECOND: u64 = 1 << 20;
/// 2020-01-01, seconds UTC.
const YEAR_2020: u64 = 1_577_836_800;
/// Blocks of sheet numbers that the lost database may have given since the backup.
const SHEET_BLOCKS_SKIPPED: u64 = 100;
/// The setting with the order up to which a backup holds everything.
const BACKED_UP: &str = "backed up";
/// The setting with the instant of the restore, until a person has compared payments with the bank.
const PAYMENTS_HELD: &str = "payments held";
/// The setting with the first order of this history, where it began with a restore.
const BEGAN: &str = "began";

/// How far a copy of the database went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The next order of arrival.
    pub order: u64,
    /// Branch, replica and last position of each feed.
    pub feeds: Vec<(u32, u32, u64)>,
}

impl Store {
    /// Writes a whole copy of the database into a new file, while others go on reading and writing.
    ///
    /// # Errors
    /// [`StoreError`], also where the file exists.
    pub fn copy_to(&self, file: &Path) -> Result<Extent, StoreError> {
        self.db.copy_to(file)?;
        Self { db: Engine::Sqlite(Sqlite::open_copy(file)?) }.extent()
    }

    fn extent(&self) -> Result<Extent, StoreError> {
        let sql = "SELECT branch, replica, last FROM feeds ORDER BY branch, replica";
        let feeds = self.db.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Extent { order: self.order()?, feeds })
    }

    /// Returns the order that the next op gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn order(&self) -> Result<u64, StoreError> {
        Ok(self.number("order")?.unwrap_or(1))
    }

    /// Notes that a backup is whole on its disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn backed_up(&self, extent: &Extent) -> Result<(), StoreError> {
        if self.backup_order()?.is_some_and(|order| order >= extent.order) {
            return Ok(());
        }
        self.set(BACKED_UP, &extent.order.to_le_bytes())?;
        for (branch, replica, last) in &extent.feeds {
            self.db.run(
                "UPDATE feeds SET backed_up = ?3 WHERE branch = ?1 AND replica = ?2",
                values![*branch, *replica, *last],
            )?;
        }
        Ok(())
    }

    /// Returns the order below which the last backup holds everything; `None` without a backup.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn backup_order(&self) -> Result<Option<u64>, StoreError> {
        self.number(BACKED_UP)
    }

    /// Returns the last op of a line that the last backup holds with all before it; 0 for none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line_backed_up(&self, branch: u32, line: Line) -> Result<u64, StoreError> {
        let Some(order) = self.backup_order()? else {
            return Ok(0);
        };
        let which = "WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND arrival < ?4";
        let ends = crate::store::log::both("first + count - 1 AS ends", which, "");
        let sql = &format!("SELECT COALESCE(MAX(ends), 0) FROM ({ends}) AS held");
        self.db.only(sql, values![branch, line.0.0, line.1.0, order])
    }

    /// Returns the last position of a feed that the last backup holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn feed_backed_up(&self, branch: u32, feed: Feed) -> Result<u64, StoreError> {
        let (branch, replica) = key(branch, feed);
        let sql = "SELECT backed_up FROM feeds WHERE branch = ?1 AND replica = ?2";
        Ok(self.db.one(sql, values![branch, replica], |row| row.get(0))?.unwrap_or(0))
    }

    /// Makes a restored copy a history of its own: a new incarnation that remembers the old one.
    ///
    /// No order, lease or block of numbers that the lost database may have given is given again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin_again(&self, new: Incarnation, now_ms: u64) -> Result<(), StoreError> {
        let old = self.incarnation()?;
        let extent = self.extent()?;
        self.backed_up(&extent)?;
        self.db.run("INSERT INTO ancestors VALUES (?1, ?2)", values![old.0, extent.order])?;
        self.db.run(
            "INSERT INTO ends SELECT CAST(?1 AS BIGINT), branch, replica, last FROM feeds",
            values![old.0],
        )?;
        let since_2020 = (now_ms / 1000).saturating_sub(YEAR_2020);
        let order = extent
            .order
            .saturating_add(ORDERS_SKIPPED)
            .max(since_2020.saturating_mul(ORDERS_A_SECOND).min(u64::MAX >> 8));
        self.set("order", &order.to_le_bytes())?;
        self.set(BEGAN, &order.to_le_bytes())?;
        let sheets = self.number("sheets")?.unwrap_or(1).saturating_add(SHEET_BLOCKS_SKIPPED);
        self.set("sheets", &sheets.to_le_bytes())?;
        self.set("incarnation", &new.0.to_le_bytes())?;
        self.set(PAYMENTS_HELD, &now_ms.max(1).to_le_bytes())?;
        // The devices' present leases are lost: nobody is a copy for showing one.
        self.db.run("UPDATE replicas SET lease = ?1, lease_before = ?1, level = 0", values![&[0_u8; 8]])?;
        Ok(())
    }

    /// Returns the name of this database's history.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn incarnation(&self) -> Result<Incarnation, StoreError> {
        let bytes = self.setting("incarnation")?.and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or(StoreError::Damaged { table: "settings" })?;
        Ok(Incarnation(u32::from_le_bytes(bytes)))
    }

    /// Returns whether this database descends from a history of that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn descends_from(&self, incarnation: Incarnation) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM ancestors WHERE incarnation = ?1)";
        self.db.only(sql, values![incarnation.0])
    }

    /// Returns the order below which the first restore of this database had everything; `None` where there was none.
    ///
    /// The first, not the last: what was given again after a restore may be missing in a backup made since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn restored_from(&self) -> Result<Option<u64>, StoreError> {
        self.db.only("SELECT MIN(first_order) FROM ancestors", &[])
    }

    /// Returns the first order of this history, where it began with a restore.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn began_at(&self) -> Result<Option<u64>, StoreError> {
        self.number(BEGAN)
    }

    /// Returns when this database was restored, where nobody has let payments go on since, milliseconds UTC.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn payments_held(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.number(PAYMENTS_HELD)?.filter(|since_ms| *since_ms > 0))
    }

    /// Notes that payments go on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn payments_let_go(&self) -> Result<(), StoreError> {
        self.set(PAYMENTS_HELD, &0_u64.to_le_bytes())
    }

    /// Returns how often this database was restored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn restores(&self) -> Result<u32, StoreError> {
        self.db.only("SELECT COUNT(*) FROM ancestors", &[])
    }

    /// Returns where a feed ended when an older history ended; 0 where it did not have the feed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ancestor_end(&self, incarnation: Incarnation, branch: u32, feed: Feed) -> Result<u64, StoreError> {
        let (branch, replica) = key(branch, feed);
        let sql = "SELECT last FROM ends WHERE incarnation = ?1 AND branch = ?2 AND replica = ?3";
        let end = self.db.one(sql, values![incarnation.0, branch, replica], |row| row.get(0))?;
        Ok(end.unwrap_or(0))
    }

    /// Folds the write-ahead log into the database's one file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settle(&self) -> Result<(), StoreError> {
        self.db.settle()
    }
}
