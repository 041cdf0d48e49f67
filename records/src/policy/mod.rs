//! The expense policy as pure rules over data: which day is the last, what is paid of a line, and why.
//!
//! Every number lives in a policy file ([`terms::STANDARD`] where a company has none of its own), none in code;
//! every result carries each day or step that led to it.
//!
//! Reading order: [`calendar`] and [`calendar_file`], [`terms`] with [`choices`] and [`mod@file`], [`count`], [`cycle`],
//! then the rules ([`due`], [`age`], [`dispatch`], [`cap`], [`mod@line`], [`penalty`]), [`in_force`], [`what_if`], and [`explain`] with
//! [`sentence`] for people.

pub mod age;
pub mod calendar;
pub mod calendar_file;
pub mod cap;
pub mod choices;
pub mod count;
pub mod cycle;
pub mod dispatch;
pub mod due;
pub mod explain;
pub mod file;
mod file_reader;
pub mod in_force;
#[cfg(test)]
mod laws;
pub mod line;
pub mod penalty;
pub mod sentence;
pub mod terms;
#[cfg(test)]
mod vectors;
pub mod what_if;
