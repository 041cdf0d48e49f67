//! The expense claim as pure rules: what it lacks, what is paid of it, who may take which step, and until when.
//!
//! Everything here reads plain values: a [`view::Claim`] and the [`facts::Facts`] that its caller has. A device, the
//! intake of headquarters and its office ask the same functions; none of them asks a clock or a disk.
//!
//! Reading order: [`view`], [`facts`] with [`people`] and [`read`], then [`checks`], [`ceiling`] and [`settle`],
//! [`guard`] with [`segregation`] and [`system`], [`clocks`], [`mailing`], [`manifest`], [`numbers`] with [`lease`],
//! [`gaps`], what betrays a wrong claim in [`traces`], and the sentences of all rules in [`sentences`].

pub mod ceiling;
pub mod checks;
pub mod clocks;
pub mod facts;
pub mod gaps;
pub mod guard;
#[cfg(test)]
mod laws;
pub mod lease;
pub mod mailing;
pub mod manifest;
pub mod numbers;
pub mod people;
pub mod read;
pub mod segregation;
pub mod sentences;
pub mod settle;
pub mod system;
pub mod traces;
#[cfg(test)]
mod vectors;
pub mod view;
#[cfg(test)]
pub(crate) mod world;
