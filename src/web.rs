//! The tablet's pages, on 127.0.0.1: the same use cases as the command line, with no network at all; no rule lives here.
//!
//! Reading order: [`serve`], [`door`], [`held`], [`lend`], [`courier`], [`desk`], [`routes`], then one file per group of pages.

pub mod courier;
pub mod desk;
pub mod door;
mod files;
pub mod held;
mod jobs;
pub mod lend;
mod remembered;
mod round;
pub mod routes;
mod search;
pub mod serve;
mod sheets;
mod shown;
#[cfg(test)]
pub(crate) mod testing;
mod today;
mod vouchers;
