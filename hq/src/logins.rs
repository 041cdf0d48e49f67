//! Logins of the console: passwords as Argon2id hashes, tries that slow down, sessions that end.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::chain::sha256;

use crate::intake::desk::Desk;
use crate::keys::{self, KeysError};
use crate::store::StoreError;
use crate::store::logins::{Login, Visitor};

/// Characters of a password, at least.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Characters of a password, at most: hashing longer ones only costs.
pub const PASSWORD_CHARS_MAX: usize = 200;
/// Wrong passwords before each further one makes the next wait.
const FREE_TRIES: u32 = 5;
/// The first wait; each further wrong password doubles it.
const WAIT_MS: u64 = 30_000;
/// The longest wait: nobody is shut out of his work for a day by somebody who guesses.
const WAIT_MS_MAX: u64 = 15 * 60_000;
/// A session that nobody used for so long has ended.
const IDLE_MS: u64 = 2 * 60 * 60_000;
/// A session that is so old has ended.
const AGE_MS: u64 = 12 * 60 * 60_000;
/// So often it is noted that a session is used.
pub const SEEN_MS: u64 = 5 * 60_000;

/// What a password is tried on where there is no login: as dear as any other's, and no password is known to come to it.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzLg$YW5kIG5vIHBhc3N3b3JkIGV2ZXIgY29tZXMgdG8gaXQ";

/// Why a login was not made, or nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The staff code or the password is wrong; which of them is not said.
    #[error("the staff code or the password is wrong")]
    Wrong,
    /// The password is right, and a one-time code is asked for beside it.
    #[error("a one-time code is asked for")]
    CodeAsked,
    /// Too many wrong passwords.
    #[error("wait {seconds} seconds")]
    Wait {
        /// How long.
        seconds: u64,
    },
    /// Nobody has that staff code.
    #[error("nobody has that staff code")]
    NoSuchStaff,
    /// The password is too short or too long.
    #[error("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")]
    Length,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Random numbers.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// A session as its browser keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The cookie's value.
    pub cookie: String,
    /// What every form carries.
    pub token: String,
}

/// Returns the hash of a password, as a PHC string; takes some 20 ms and 19 MiB.
///
/// # Errors
/// [`LoginError::Length`], [`LoginError::Hash`].
///
/// Source: docs/SECURITY.md, Pages.
pub fn hash(password: &str) -> Result<String, LoginError> {
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.chars().count()) {
        return Err(LoginError::Length);
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| LoginError::Hash)?;
    Ok(hash.to_string())
}

/// Returns whether the password is the one of the hash. Where there is no login, the same work is done on nobody's.
#[must_use]
pub fn fits(login: Option<&Login>, password: &str) -> bool {
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return false;
    }
    let hash = PasswordHash::new(login.map_or(NOBODYS_HASH, |login| &login.hash));
    let same = hash.is_ok_and(|hash| verify(password, &hash));
    same && login.is_some()
}

/// The one place where a password is tried: whoever comes here pays for one try.
fn verify(password: &str, hash: &PasswordHash) -> bool {
    #[cfg(test)]
    tests::TRIES.set(tests::TRIES.get() + 1);
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// Returns how long somebody has to wait before the next try.
///
/// # Errors
/// [`LoginError::Wait`].
pub fn may_try(login: Option<&Login>, now_ms: u64) -> Result<(), LoginError> {
    match login.map_or(0, |login| login.free_ms.saturating_sub(now_ms)) {
        // Longer than anybody waits: the clock was set back since.
        ms if ms == 0 || ms > WAIT_MS_MAX => Ok(()),
        ms => Err(LoginError::Wait { seconds: ms.div_ceil(1000) }),
    }
}

/// Returns the login after a wrong password.
#[must_use]
pub fn after_wrong(login: Login, now_ms: u64) -> Login {
    let failed = login.failed.saturating_add(1);
    let doubled = failed.checked_sub(FREE_TRIES).map(|n| WAIT_MS.saturating_mul(1 << n.min(10)));
    let free_ms = doubled.map_or(0, |wait_ms| now_ms.saturating_add(wait_ms.min(WAIT_MS_MAX)));
    Login { failed, free_ms, ..login }
}

/// Returns a login that nobody has: whoever tries it waits as for any other, and is never let in.
#[must_use]
pub fn nobodys(failed: u32, free_ms: u64) -> Login {
    let nobody = OpId { replica: Replica::HQ, epoch: Epoch(0), seq: 0 };
    Login { staff: DocId(nobody), hash: String::new(), changed_ms: 0, failed, free_ms }
}

impl Desk {
    /// Writes as much to the disk as a wrong password of somebody's costs: nobody tells by the time that nobody has the
    /// staff code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tried_nobodys(&self, now_ms: u64) -> Result<(), StoreError> {
        self.store.set("last wrong login", &now_ms.to_le_bytes())
    }

    /// Sets somebody's password and logs him out everywhere; the hash comes from [`hash`].
    ///
    /// # Errors
    /// [`LoginError::NoSuchStaff`], [`LoginError::Store`].
    pub fn set_password(&mut self, code: &str, hash: String, now_ms: u64) -> Result<(), LoginError> {
        let people = self.people()?;
        let (staff, _) = people.by_code(code).ok_or(LoginError::NoSuchStaff)?;
        self.store.login_put(&Login { staff, hash, changed_ms: now_ms, failed: 0, free_ms: 0 })?;
        self.store.visitors_drop(staff)?;
        Ok(self.store.audit(0, now_ms, "password set", code)?)
    }

    /// Takes somebody's login away and logs him out everywhere.
    ///
    /// # Errors
    /// [`LoginError::NoSuchStaff`], [`LoginError::Store`].
    pub fn drop_login(&mut self, code: &str, now_ms: u64) -> Result<(), LoginError> {
        let people = self.people()?;
        let (staff, _) = people.by_code(code).ok_or(LoginError::NoSuchStaff)?;
        self.store.login_drop(staff)?;
        Ok(self.store.audit(0, now_ms, "login removed", code)?)
    }

    /// Returns the login of a staff code; `None` where it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn login_of(&mut self, code: &str) -> Result<Option<Login>, StoreError> {
        match self.people()?.by_code(code) {
            Some((staff, _)) => self.store.login(staff),
            None => Ok(None),
        }
    }

    /// Notes what a try came to: a new session, or one wrong password or one-time code more.
    ///
    /// # Errors
    /// [`LoginError::CodeAsked`], [`LoginError::Store`], [`LoginError::Keys`].
    pub fn tried(
        &mut self,
        login: Login,
        (fits, code): (bool, &str),
        now_ms: u64,
    ) -> Result<Option<Session>, LoginError> {
        if !fits || !self.use_code(login.staff, code, now_ms)? {
            self.store.login_put(&after_wrong(login, now_ms))?;
            return Ok(None);
        }
        let session = Session {
            cookie: records::hex::of(&keys::random::<16>()?),
            token: records::hex::of(&keys::random::<16>()?),
        };
        let staff = login.staff;
        let visitor = Visitor { staff, token: session.token.clone(), made_ms: now_ms, seen_ms: now_ms };
        self.store.visitors_forget(now_ms.saturating_sub(AGE_MS))?;
        self.store.visitor_put(&id(&session.cookie), &visitor)?;
        self.store.login_put(&Login { failed: 0, free_ms: 0, ..login })?;
        let code = self.staff_code(staff)?;
        self.store.audit(0, now_ms, "logged in", &code)?;
        Ok(Some(session))
    }

    /// Returns who has that cookie; `None` where nobody has, or his session has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitor(&self, cookie: &str, now_ms: u64) -> Result<Option<Visitor>, StoreError> {
        let found = self.store.visitor(&id(cookie))?;
        Ok(found.filter(|visitor| {
            now_ms.saturating_sub(visitor.seen_ms) <= IDLE_MS
                && now_ms.saturating_sub(visitor.made_ms) <= AGE_MS
        }))
    }

    /// Notes that a session is used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visitor_seen(&self, cookie: &str, now_ms: u64) -> Result<(), StoreError> {
        match self.store.visitor(&id(cookie))? {
            Some(visitor) => self.store.visitor_put(&id(cookie), &Visitor { seen_ms: now_ms, ..visitor }),
            None => Ok(()),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_out(&self, cookie: &str) -> Result<(), StoreError> {
        self.store.visitor_drop(&id(cookie))
    }

    /// Returns everybody who has a login, by staff record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn logins(&mut self) -> Result<Vec<Login>, StoreError> {
        let staff: Vec<DocId> = self.people()?.staff.keys().copied().collect();
        let mut found = Vec::new();
        for staff in staff {
            found.extend(self.store.login(staff)?);
        }
        Ok(found)
    }
}

/// The database knows a cookie's digest only: whoever reads a backup gets nobody's session.
fn id(cookie: &str) -> [u8; 32] {
    sha256(&[b"fieldbook session\n", cookie.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        /// How often this thread tried a password.
        pub(super) static TRIES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

    /// Time is what a guesser measures; here its cause is counted: tries, each with the same parameters.
    #[test]
    fn a_try_at_nobodys_login_costs_the_same_work_as_one_at_somebodys() {
        let tried = |login: Option<&Login>, password: &str| {
            TRIES.set(0);
            (fits(login, password), TRIES.get())
        };
        let somebody = login(&hash("correct horse").unwrap());
        assert_eq!(tried(Some(&somebody), "correct horse"), (true, 1));
        assert_eq!(tried(Some(&somebody), "wrong-wrong"), (false, 1));
        assert_eq!(tried(None, "wrong-wrong"), (false, 1));
        let long = "x".repeat(PASSWORD_CHARS_MAX + 1);
        assert_eq!((tried(Some(&somebody), &long), tried(None, &long)), ((false, 0), (false, 0)));
        let cost = |hash: &str| {
            let parts: Vec<&str> = hash.split('$').collect();
            (parts[..4].join("$"), parts[4].len(), parts[5].len())
        };
        assert_eq!(cost(NOBODYS_HASH), cost(&somebody.hash));
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok(), "it reads, so its work is done");
    }

    fn login(hash: &str) -> Login {
        let id =
            records::id::OpId { replica: records::id::Replica::HQ, epoch: records::id::Epoch(0), seq: 1 };
        Login { staff: DocId(id), hash: hash.to_owned(), changed_ms: 0, failed: 0, free_ms: 0 }
    }

    #[test]
    fn only_the_right_password_fits() {
        let login = login(&hash("correct horse").unwrap());
        assert!(login.hash.starts_with("$argon2id$"), "{}", login.hash);
        assert!(fits(Some(&login), "correct horse"));
        assert!(!fits(Some(&login), "correct hors") && !fits(None, "correct horse"));
        assert!(matches!(hash("short"), Err(LoginError::Length)));
    }

    /// One wrong password, and the clock went back by a second: the next try had to wait, and for hours if by hours.
    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let once = after_wrong(login(""), 10_000_000);
        assert!(may_try(Some(&once), 9_000_000).is_ok());
        let often = (0..9).fold(login(""), |tried, _| after_wrong(tried, 10_000_000));
        assert!(may_try(Some(&often), 10_000_000).is_err());
        assert!(may_try(Some(&often), 1_000_000).is_ok());
    }

    #[test]
    fn wrong_passwords_make_the_next_wait_longer_and_never_for_ever() {
        let mut tried = login("");
        for _ in 0..4 {
            tried = after_wrong(tried, 1_000);
            assert!(may_try(Some(&tried), 1_000).is_ok());
        }
        tried = after_wrong(tried, 1_000);
        assert!(matches!(may_try(Some(&tried), 1_000), Err(LoginError::Wait { seconds: 30 })));
        for _ in 0..40 {
            tried = after_wrong(tried, 1_000);
        }
        assert!(may_try(Some(&tried), 1_000 + WAIT_MS_MAX).is_ok());
    }
}
