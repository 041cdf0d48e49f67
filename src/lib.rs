//! The agent: what runs on a technician's or a supervisor's device.
//!
//! Reading order: [`cli`], [`notebook`].

pub mod cli;
pub mod notebook;
