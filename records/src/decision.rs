//! One entry of a state machine's list, as it stands in an op.

use serde::{Deserialize, Serialize};

use crate::id::{DocId, OpId};
use crate::kinds::staff::Role;
use crate::machine::Index;

/// A role-bearing decision on a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The step in the kind's machine.
    pub step: Index,
    /// In which role it was taken.
    pub role: Role,
    /// The principal, where a delegate acted.
    pub on_behalf_of: Option<DocId>,
    /// A colleague that the step names (hand over to).
    pub to: Option<DocId>,
    /// The reason in words; empty where none is needed.
    pub reason: String,
    /// First 16 bytes of the content digest that the author saw; `None` where he wrote everything it covers.
    pub saw: Option<[u8; 16]>,
    /// Where the step picks one of two concurrent decisions: the one that stands.
    pub picks: Option<OpId>,
}

/// The group number that every kind with a machine uses for its decisions.
pub const DECISION_GROUP: u16 = 1;

/// The tag of [`DECISION_GROUP`].
pub const DECISION_TAG: crate::schema::Tag =
    crate::schema::Tag::new(DECISION_GROUP, crate::schema::Class::Decision);
