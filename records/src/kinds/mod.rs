//! The record kinds, one file each.

pub mod device;
pub mod staff;

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
}

/// Every kind this build knows, by number.
pub static KINDS: &[&Kind] = &[&staff::STAFF, &device::DEVICE];

/// Returns the kind of that number; `None` for one of a newer version.
#[must_use]
pub fn by_number(number: u16) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.number == number)
}

/// Returns the kind of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}
