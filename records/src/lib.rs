//! The domain: what a record is, which rules it obeys, how it reads; pure, with no clock, disk, socket or randomness.
//!
//! Reading order: [`id`], [`money`], [`time`], [`value`], [`schema`], [`kinds`], [`machine`], [`decision`], [`record`],
//! then the rules ([`rules`], [`problems`], [`checklist`], [`number`], [`pinyin`], [`invoice`], [`duplicate`], [`files`],
//! [`both`], [`hex`]), the expense [`policy`], the expense [`claim`] and [`table`].

pub mod both;
pub mod checklist;
pub mod claim;
pub mod decision;
pub mod duplicate;
pub mod files;
pub mod hex;
pub mod id;
pub mod invoice;
pub mod kinds;
pub mod machine;
pub mod money;
pub mod number;
pub mod pinyin;
pub mod policy;
pub mod problems;
pub mod record;
pub mod rules;
pub mod schema;
pub mod table;
pub mod time;
pub mod value;
