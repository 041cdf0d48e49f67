//! Becoming a replica: works with HQ out of reach.

use std::path::Path;

use sync_protocol::enrolment::{Enrolment, EnrolmentError};

use crate::clock::Now;
use crate::notebook::refusal::{NotebookError, Refusal};
use crate::store::Store;
use crate::store::error::StoreError;

/// Makes the home of the device that the code describes, and returns what the code said.
///
/// # Errors
/// W-16 where the home is enrolled, W-17 where the code has expired, W-18 where it does not read;
/// [`NotebookError::Store`], with nothing written.
pub fn enrol(home: &Path, code: &str, now: Now) -> Result<Enrolment, NotebookError> {
    let enrolment = read(code, now)?;
    match Store::create(home, &enrolment, now) {
        Ok(_) => Ok(enrolment),
        Err(StoreError::AlreadyEnrolled { home }) => {
            Err(Refusal::by("W-16").with("home", home.display().to_string()).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives a home that is enrolled the name in the code, once HQ has everything of the name that it has; returns what the
/// code said. Its records come back with the next sync, the old log is set aside.
///
/// # Errors
/// W-16 where something is only here, or for the name that it has; W-17 and W-18 as [`enrol`].
pub fn enrol_anew(store: Store, code: &str, now: Now) -> Result<Enrolment, NotebookError> {
    let enrolment = read(code, now)?;
    store.enrol_anew(&enrolment, u64::try_from(now.wall.0).unwrap_or(0), now)?;
    Ok(enrolment)
}

/// Takes the name that HQ gave this device, where it gave one and has all of its work; returns whether it was taken.
///
/// # Errors
/// [`NotebookError::Store`].
pub fn take_own_name(store: Store, now: Now) -> Result<(Store, bool), NotebookError> {
    match store.own_name()? {
        // HQ made it for this very device: it was read when it was made.
        Some(enrolment) => Ok((store.enrol_anew(&enrolment, enrolment.issued_ms, now)?, true)),
        None => Ok((store, false)),
    }
}

fn read(code: &str, now: Now) -> Result<Enrolment, NotebookError> {
    let enrolment = Enrolment::from_code(code).map_err(unreadable)?;
    let wall_ms = u64::try_from(now.wall.0).unwrap_or(0);
    if wall_ms > enrolment.expires_ms {
        let minute =
            |ms: u64| records::time::Ts(i64::try_from(ms).unwrap_or(i64::MAX)).minute(enrolment.zone);
        return Err(Refusal::by("W-17")
            .with("until", minute(enrolment.expires_ms))
            .with("now", minute(wall_ms))
            .into());
    }
    Ok(enrolment)
}

fn unreadable(error: EnrolmentError) -> Refusal {
    Refusal::by("W-18").case(match error {
        EnrolmentError::NotACode => "other",
        EnrolmentError::CutShort => "cut",
        EnrolmentError::Mistyped => "mistyped",
        EnrolmentError::Newer => "newer",
    })
}
