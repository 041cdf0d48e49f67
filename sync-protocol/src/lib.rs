//! What both ends must compute alike: how a change is written, named, chained, signed, sent, judged and merged.
//!
//! Pure: no clock, disk, socket, environment or randomness; what it needs is passed in.
//! Reading order: [`stamp`], [`op`], [`chain`], [`columns`], [`segment`], [`ruling`], [`cursor`], [`message`],
//! [`asides`], [`envelope`], [`frame`], [`conversation`], [`proof`], [`parcel`], [`rescue`], [`bundle`], [`enrolment`], [`merge`],
//! [`digest`].

pub mod archive;
pub mod asides;
pub mod body;
pub mod bundle;
mod canonical;
pub mod chain;
pub mod columns;
pub mod conversation;
pub mod cursor;
mod deflate;
pub mod digest;
pub mod enrolment;
pub mod envelope;
pub mod frame;
pub mod limits;
pub mod merge;
pub mod message;
mod numbered;
pub mod op;
pub mod parcel;
pub mod proof;
pub mod reason;
pub mod rescue;
pub mod ruling;
pub mod segment;
pub mod sign;
pub mod stamp;
pub mod tables;
