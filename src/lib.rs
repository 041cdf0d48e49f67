//! The agent: what runs on a technician's or a supervisor's device.
//!
//! Reading order: [`cli`], [`web`], [`notebook`], [`vault`], [`store`], [`keys`], [`home`], [`clock`].

pub mod backup;
pub mod blobs;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod home;
pub mod keys;
pub mod notebook;
pub mod picture;
#[cfg(feature = "simulated")]
pub mod simulated;
pub mod store;
pub mod sync;
pub mod transport;
pub mod vault;
pub mod web;
