//! The record kinds, one file each.

pub mod account;
pub mod alert;
pub mod alert_machine;
pub mod approval;
pub mod asset;
pub mod batch;
pub mod batch_machine;
pub mod calendar;
pub mod cap;
pub mod case;
pub mod case_machine;
pub mod claim;
pub mod claim_machine;
pub mod customer;
pub mod delegation;
pub mod device;
pub mod exception;
pub mod exception_machine;
pub mod inspection;
pub mod install;
pub mod job;
pub mod job_machine;
#[cfg(feature = "simulated")]
pub mod later;
#[cfg(test)]
mod laws;
pub mod lease;
pub mod org;
pub mod payment;
pub mod payment_machine;
pub mod policy;
pub mod repair;
pub mod sheet;
pub mod sheet_machine;
pub mod site;
pub mod staff;
pub mod template;
#[cfg(any(feature = "tomorrow", feature = "simulated"))]
pub mod tomorrow;
pub mod trip;
pub mod trip_machine;
pub mod voucher;
pub mod voucher_machine;

use crate::schema::Kind;

/// Kind numbers on the wire; never reused.
pub mod number {
    /// A unit of the organisation.
    pub const ORG: u16 = 1;
    /// A person.
    pub const STAFF: u16 = 2;
    /// A customer.
    pub const CUSTOMER: u16 = 3;
    /// A customer's site.
    pub const SITE: u16 = 4;
    /// A machine at a site.
    pub const ASSET: u16 = 5;
    /// A checklist template.
    pub const TEMPLATE: u16 = 6;
    /// A device (an installation that writes).
    pub const DEVICE: u16 = 7;
    /// A job (work order).
    pub const JOB: u16 = 10;
    /// An installation sheet.
    pub const INSTALL: u16 = 11;
    /// A repair sheet.
    pub const REPAIR: u16 = 12;
    /// An inspection sheet.
    pub const INSPECTION: u16 = 13;
    /// A voucher.
    pub const VOUCHER: u16 = 20;
    /// An expense claim.
    pub const CLAIM: u16 = 21;
    /// A trip summary.
    pub const TRIP: u16 = 22;
    /// A branch's batch of claims.
    pub const BATCH: u16 = 23;
    /// A payment batch.
    pub const PAYMENT: u16 = 24;
    /// A disciplinary case.
    pub const CASE: u16 = 25;
    /// A request for an exception.
    pub const EXCEPTION: u16 = 26;
    /// An anomaly alert.
    pub const ALERT: u16 = 27;
    /// A monthly ceiling.
    pub const CAP: u16 = 28;
    /// A person's bank account.
    pub const ACCOUNT: u16 = 29;
    /// A version of the expense policy.
    pub const POLICY: u16 = 40;
    /// A year of the working calendar.
    pub const CALENDAR: u16 = 41;
    /// A delegation.
    pub const DELEGATION: u16 = 42;
    /// The lease on a person's claim numbers.
    pub const LEASE: u16 = 43;
    /// A reference to any of the three sheets; not a kind of its own.
    pub const SHEET: u16 = 9;
    /// A service ticket: referred to by its number as text, the record comes with a later version.
    pub const TICKET: u16 = 30;
    /// A part: referred to by its code as text, the record comes with a later version.
    pub const PART: u16 = 31;
    /// A tool lent, for the tests of evolution.
    #[cfg(any(feature = "tomorrow", feature = "simulated"))]
    pub const LOAN: u16 = 60;
}

/// Returns whether a reference of type `reference` may point at a document of kind `document`.
///
/// ```
/// use records::kinds::{number, takes};
/// assert!(takes(number::SHEET, number::REPAIR) && takes(number::SITE, number::SITE));
/// assert!(!takes(number::SHEET, number::JOB));
/// ```
#[must_use]
pub fn takes(reference: u16, document: u16) -> bool {
    let sheet = [number::INSTALL, number::REPAIR, number::INSPECTION].contains(&document);
    reference == document || reference == number::SHEET && sheet
}

/// Every kind this build knows, by number.
pub static KINDS: &[&Kind] = &[
    &org::ORG,
    &staff::STAFF,
    &customer::CUSTOMER,
    &site::SITE,
    &asset::ASSET,
    &template::TEMPLATE,
    &device::DEVICE,
    &job::JOB,
    &install::INSTALL,
    &repair::REPAIR,
    &inspection::INSPECTION,
    &voucher::VOUCHER,
    &claim::CLAIM,
    &trip::TRIP,
    &batch::BATCH,
    &payment::PAYMENT,
    &case::CASE,
    &exception::EXCEPTION,
    &alert::ALERT,
    &cap::CAP,
    &account::ACCOUNT,
    &policy::POLICY,
    &calendar::CALENDAR,
    &delegation::DELEGATION,
    &lease::LEASE,
    #[cfg(feature = "tomorrow")]
    &tomorrow::LOAN,
];

/// Returns the kinds that this build knows, by number; in the simulator those of the version that runs just now.
#[must_use]
pub fn known() -> &'static [&'static Kind] {
    #[cfg(feature = "simulated")]
    return later::known();
    #[cfg(not(feature = "simulated"))]
    KINDS
}

/// Returns the kind of that number; `None` for one of a newer version.
#[must_use]
pub fn by_number(number: u16) -> Option<&'static Kind> {
    known().iter().copied().find(|kind| kind.number == number)
}

/// Returns the kind of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Kind> {
    known().iter().copied().find(|kind| kind.name == name)
}
