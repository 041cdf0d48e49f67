//! What both ends must compute alike: how a change is written, named, chained, signed, sent, judged and merged.
//!
//! Pure: no clock, disk, socket, environment or randomness; what it needs is passed in.
//! Reading order: [`stamp`], [`op`], [`chain`], [`segment`], [`ruling`], [`cursor`], [`message`].

pub mod chain;
pub mod cursor;
pub mod limits;
pub mod merge;
pub mod message;
pub mod op;
pub mod ruling;
pub mod segment;
pub mod sign;
pub mod stamp;
