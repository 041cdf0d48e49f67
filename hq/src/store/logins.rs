//! Who may log in to the console, and who is logged in.

use records::id::DocId;

use crate::store::engine::values;
use crate::store::{Store, StoreError, bytes, read};

/// Somebody's login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// His staff record.
    pub staff: DocId,
    /// His password's Argon2id hash, as a PHC string.
    pub hash: String,
    /// When it was set.
    pub changed_ms: u64,
    /// Wrong passwords since the last right one.
    pub failed: u32,
    /// Before that instant no password is tried.
    pub free_ms: u64,
}

/// Somebody who is logged in with one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// His staff record.
    pub staff: DocId,
    /// What every form carries.
    pub token: String,
    /// When he logged in.
    pub made_ms: u64,
    /// When he was last seen, within some minutes.
    pub seen_ms: u64,
}

impl Store {
    /// Returns somebody's login; `None` where he has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login(&self, staff: DocId) -> Result<Option<Login>, StoreError> {
        let sql = "SELECT hash, changed_ms, failed, free_ms FROM logins WHERE staff = ?1";
        self.db.one(sql, values![&bytes(&staff)], |row| {
            Ok(Login {
                staff,
                hash: row.get(0)?,
                changed_ms: row.get(1)?,
                failed: row.get(2)?,
                free_ms: row.get(3)?,
            })
        })
    }

    /// Keeps somebody's login in place of an earlier one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_put(&self, login: &Login) -> Result<(), StoreError> {
        self.db.run("INSERT INTO logins VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (staff) DO UPDATE SET hash = excluded.hash,
               changed_ms = excluded.changed_ms, failed = excluded.failed, free_ms = excluded.free_ms",
            values![&bytes(&login.staff), &login.hash, login.changed_ms, login.failed, login.free_ms],
        )?;
        Ok(())
    }

    /// Takes somebody's login away, and logs him out everywhere.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_drop(&self, staff: DocId) -> Result<(), StoreError> {
        self.db.run("DELETE FROM logins WHERE staff = ?1", values![&bytes(&staff)])?;
        self.visitors_drop(staff)
    }

    /// Returns who is logged in under that digest of a cookie.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitor(&self, id: &[u8]) -> Result<Option<Visitor>, StoreError> {
        let sql = "SELECT staff, token, made_ms, seen_ms FROM visitors WHERE id = ?1";
        self.db.one(sql, values![id], |row| {
            let staff = read("visitors", &row.get::<Vec<u8>>(0)?)?;
            Ok(Visitor { staff, token: row.get(1)?, made_ms: row.get(2)?, seen_ms: row.get(3)? })
        })
    }

    /// Notes somebody who is logged in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitor_put(&self, id: &[u8], visitor: &Visitor) -> Result<(), StoreError> {
        self.db.run("INSERT INTO visitors VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET staff = excluded.staff,
               token = excluded.token, made_ms = excluded.made_ms, seen_ms = excluded.seen_ms",
            values![id, &bytes(&visitor.staff), &visitor.token, visitor.made_ms, visitor.seen_ms])?;
        Ok(())
    }

    /// Logs one browser out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitor_drop(&self, id: &[u8]) -> Result<(), StoreError> {
        self.db.run("DELETE FROM visitors WHERE id = ?1", values![id])?;
        Ok(())
    }

    /// Logs somebody out everywhere.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitors_drop(&self, staff: DocId) -> Result<(), StoreError> {
        self.db.run("DELETE FROM visitors WHERE staff = ?1", values![&bytes(&staff)])?;
        Ok(())
    }

    /// Forgets whoever was not seen since then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitors_forget(&self, before_ms: u64) -> Result<(), StoreError> {
        self.db.run("DELETE FROM visitors WHERE seen_ms < ?1", values![before_ms])?;
        Ok(())
    }
}
