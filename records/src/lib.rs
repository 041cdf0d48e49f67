//! The domain: what a record is, which rules it obeys, how it reads; pure, with no clock, disk, socket or randomness.
//!
//! Reading order: [`id`], [`money`], [`time`], [`value`], [`schema`], [`kinds`], [`machine`], [`decision`].

pub mod decision;
pub mod id;
pub mod kinds;
pub mod machine;
pub mod money;
pub mod schema;
pub mod table;
pub mod time;
pub mod value;
