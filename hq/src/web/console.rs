//! What all visits share: a desk to read at, the writer, the clock, who tried to log in too often.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pages::reply::Reply;
use pages::visit::Visit;
use sync_protocol::chain::sha256;

use crate::cli::answer::{Fault, Lang};
use crate::data::Data;
use crate::intake::desk::Desk;
use crate::logins;
use crate::session::Office;
use crate::store::logins::Login;
use crate::web::door;

/// Wrong passwords from one address within the window.
const WRONG_MAX: u32 = 30;
/// How long they are remembered.
const WINDOW_MS: u64 = 10 * 60_000;
/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 10_000;

/// The console of one server.
#[derive(Debug)]
pub struct Console {
    /// Where changes are made.
    pub office: Office,
    /// The folder.
    pub data: Data,
    /// Whether segments written under a test clock are taken.
    pub test_clock: bool,
    /// Whether people come over HTTPS: cookies are then sent over nothing else.
    pub secure: bool,
    /// The language where the browser has chosen none.
    pub lang: Lang,
    /// Where the system keeps its fonts.
    pub font_folders: Vec<PathBuf>,
    readers: Mutex<Vec<Desk>>,
    wrong: Mutex<BTreeMap<String, (u64, u32)>>,
    /// Tries with staff codes that have no login, by the code's hash: they wait as those do that have one.
    nobodys: Mutex<BTreeMap<[u8; 32], Login>>,
}

impl Console {
    /// Returns the console.
    #[must_use]
    pub fn new(
        office: Office,
        data: Data,
        test_clock: bool,
        secure: bool,
        lang: Lang,
        font_folders: Vec<PathBuf>,
    ) -> Arc<Self> {
        Arc::new(Self {
            office,
            data,
            test_clock,
            secure,
            lang,
            font_folders,
            readers: Mutex::default(),
            wrong: Mutex::default(),
            nobodys: Mutex::default(),
        })
    }

    /// Returns the answer to one visit. Blocks.
    #[must_use]
    pub fn answer(&self, visit: &Visit) -> Reply {
        door::answer(self, visit)
    }

    /// Looks something up at a desk of its own: whoever writes is not kept waiting.
    ///
    /// # Errors
    /// A [`Fault`] where the database does not open, and what the job says.
    pub fn read<T, E>(&self, job: impl FnOnce(&mut Desk) -> Result<T, E>) -> Result<T, Fault>
    where
        Fault: From<E>,
    {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut desk = match idle {
            Some(desk) => desk,
            None => self.data.open(self.test_clock)?,
        };
        desk.look_around()?;
        let done = job(&mut desk);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(desk);
        Ok(done?)
    }

    /// Returns how tries with a staff code stand that has no login.
    pub(crate) fn nobodys(&self, code: &str) -> Login {
        let nobodys = self.nobodys.lock().unwrap_or_else(PoisonError::into_inner);
        nobodys.get(&sha256(&[code.as_bytes()])).cloned().unwrap_or_else(|| logins::nobodys(0, 0))
    }

    /// Notes a try with such a code.
    pub(crate) fn was_nobodys(&self, code: &str, now_ms: u64) {
        let tried = logins::after_wrong(self.nobodys(code), now_ms);
        let mut nobodys = self.nobodys.lock().unwrap_or_else(PoisonError::into_inner);
        if nobodys.len() >= ADDRESSES_MAX {
            nobodys.retain(|_, login| login.free_ms > now_ms);
        }
        if nobodys.len() < ADDRESSES_MAX {
            nobodys.insert(sha256(&[code.as_bytes()]), tried);
        }
    }

    /// Returns whether somebody at that address may try another password.
    pub(crate) fn may_try(&self, from: &str, now_ms: u64) -> bool {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.get(from).is_none_or(|(since, n)| *n < WRONG_MAX || now_ms.saturating_sub(*since) > WINDOW_MS)
    }

    /// Notes a wrong password from that address.
    pub(crate) fn was_wrong(&self, from: &str, now_ms: u64) {
        self.office.porter.meter.wrong_login();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|_, (since, _)| now_ms.saturating_sub(*since) <= WINDOW_MS);
        if wrong.len() < ADDRESSES_MAX || wrong.contains_key(from) {
            wrong.entry(from.to_owned()).or_insert((now_ms, 0)).1 += 1;
        }
    }
}
