//! One honest answer: who this is, what is only here and how old it is, what waits for a person.

use records::id::Replica;
use records::time::{Ts, Zone};

use crate::clock::Now;
use crate::notebook::claim::number;
use crate::notebook::claim::reminders::{Reminders, reminders};
use crate::notebook::refusal::NotebookError;
use crate::notebook::terms::Terms;
use crate::store::Store;
use crate::store::files::FileCounts;
use crate::store::read::Counts;
use crate::sync::standing::Apart;
use crate::vault::Standing;

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The person.
    pub staff_name: String,
    /// His code.
    pub staff_code: String,
    /// His unit.
    pub unit_name: String,
    /// The company.
    pub company: String,
    /// The installation's short id.
    pub replica: Replica,
    /// What the device calls itself.
    pub device: String,
    /// The fingerprint of its key, by which an administrator tells it from another one with the same code.
    pub key: String,
    /// Where HQ answers.
    pub address: String,
    /// His zone.
    pub zone: Zone,
    /// What is here.
    pub counts: Counts,
    /// How old the oldest op is that HQ has not, in milliseconds; `None` where HQ has all.
    pub unsent_age_ms: Option<i64>,
    /// When the last sync ended; `None` before the first.
    pub last_sync: Option<Ts>,
    /// Why HQ does not let this device take part; `None` where it does.
    pub apart: Option<Apart>,
    /// Records that HQ holds differently though they were read again.
    pub differing: u64,
    /// How attached files stand.
    pub files: FileCounts,
    /// Whether the home has a PIN, and until when an unlock holds.
    pub pin: Standing,
    /// Bytes free on the disk; `None` where the platform does not say.
    pub free_bytes: Option<u64>,
    /// Whether HQ says that two homes write under this one's name.
    pub copied: bool,
    /// Whether numbers wait until HQ confirmed the highest known.
    pub numbers_suspended: bool,
    /// The next sheet number of this month; `None` where the block is used up or numbers wait.
    pub next_sheet_no: Option<u32>,
    /// The next claim number and the lease's epoch; `None` where another device holds the lease.
    pub claim_lease: Option<(u32, u32)>,
    /// What should not be forgotten about the money.
    pub money: Reminders,
}

/// Returns how things stand.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn status(store: &Store, now: Now) -> Result<Status, NotebookError> {
    with_money(store, now, reminders(store, now)?)
}

/// As [`status`], where the reminders are known already.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn with_money(store: &Store, now: Now, money: Reminders) -> Result<Status, NotebookError> {
    let enrolment = &store.identity().enrolment;
    let counts = store.counts()?;
    let age = |ms: u64| now.wall.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)).max(0);
    Ok(Status {
        staff_name: enrolment.staff_name.clone(),
        staff_code: enrolment.staff_code.clone(),
        unit_name: enrolment.unit_name.clone(),
        company: enrolment.company.clone(),
        replica: enrolment.replica,
        device: store.identity().name.clone(),
        key: store.signer()?.public().fingerprint(),
        address: enrolment.address.clone(),
        zone: enrolment.zone,
        unsent_age_ms: counts.oldest_unsent_ms.map(age),
        counts,
        last_sync: crate::sync::report::last(store)?.map(|last| last.at),
        apart: crate::sync::standing::apart(store)?,
        differing: differing(store)?,
        files: store.file_counts()?,
        pin: crate::vault::standing(store.home(), now)?,
        free_bytes: crate::home::free_bytes(store.home()),
        copied: store.copied(),
        numbers_suspended: store.numbers_suspended(),
        next_sheet_no: crate::notebook::seal::next_number(store, now)?,
        claim_lease: lease(store, now)?,
        money,
    })
}

/// Returns the next claim number and the epoch of the lease under which it is given.
fn lease(store: &Store, now: Now) -> Result<Option<(u32, u32)>, NotebookError> {
    let today = now.wall.day(store.identity().enrolment.zone);
    let in_force = Terms::read(store)?.in_force;
    let next = number::peek(store, in_force.policy(today), today)?;
    let turn = records::claim::lease::current(&number::turns(store)?);
    Ok(next.zip(turn).map(|(next, turn)| (next, turn.epoch)))
}

/// Counts the records that differ from HQ; 1 where HQ did not say which.
fn differing(store: &Store) -> Result<u64, NotebookError> {
    let found = crate::sync::entropy::differences(store)?;
    Ok(found.map_or(0, |found| u64::try_from(found.documents.len().max(1)).unwrap_or(u64::MAX)))
}
