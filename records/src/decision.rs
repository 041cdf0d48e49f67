//! One entry of a state machine's list, as it stands in an op.

use serde::{Deserialize, Serialize};

use crate::id::{DocId, OpId};
use crate::kinds::staff::Role;
use crate::machine::Index;
use crate::schema::{Class, Group, Tag, Writer};

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
pub const DECISION_TAG: Tag = Tag::new(DECISION_GROUP, Class::Decision);

/// The group's line in the table of every kind with a machine; its payload is a [`Decision`], so it lists no fields.
pub static DECISIONS: Group = Group {
    number: DECISION_GROUP,
    name: "decision",
    class: Class::Decision,
    content: false,
    frozen: false,
    writer: Writer::Scope,
    key: None,
    zh: "决定",
    en: "Decision",
    fields: &[],
};
