//! Why HQ refuses an op: stable numbers, so that every device says it in its own language.
//!
//! Source: docs/PROTOCOL.md, Reasons.

/// Written under a test clock; this HQ is not a test.
pub const TEST_CLOCK: u16 = 1;
/// A kind, a step or a coding that HQ must understand and does not yet.
pub const NEWER: u16 = 2;
/// The document that it names was never created.
pub const NO_DOCUMENT: u16 = 3;
/// The document is of another kind.
pub const OTHER_KIND: u16 = 4;
/// The author may not write on this document.
pub const SCOPE: u16 = 5;
/// Only HQ writes this group, or takes this step.
pub const ONLY_HQ: u16 = 6;
/// Bytes that do not fit the schema.
pub const MALFORMED: u16 = 7;
/// A value outside its field's range.
pub const RANGE: u16 = 8;
/// The document was sealed, and the author knew.
pub const FROZEN: u16 = 9;
/// The author does not hold the role, or the role may not take this step on this document.
pub const ROLE: u16 = 10;
/// The step is not possible from the state that the author saw.
pub const STEP: u16 = 11;
/// The step lacks its reason, colleague or pick.
pub const INCOMPLETE: u16 = 12;
/// The author saw an open conflict and decided over it.
pub const CONFLICT: u16 = 13;
/// Nobody is known as the device's owner.
pub const NO_AUTHOR: u16 = 14;
/// The segment is not signed by the device.
pub const SIGNATURE: u16 = 15;
