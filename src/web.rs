//! The tablet's pages, on 127.0.0.1: the same use cases as the command line, with no network at all; no rule lives here.
//!
//! Reading order: [`serve`], [`door`], `unlock`, [`held`], [`lend`], [`courier`], [`desk`], [`routes`], then one file per group of pages.

mod batches;
mod claims;
mod conflicts;
pub mod courier;
pub mod desk;
pub mod door;
mod files;
pub mod held;
mod jobs;
pub mod kept;
pub mod lend;
mod money;
mod more;
mod remembered;
mod review;
mod round;
pub mod routes;
mod search;
pub mod serve;
mod sheets;
mod shown;
mod sync;
#[cfg(test)]
pub(crate) mod testing;
mod today;
mod trips;
pub(crate) mod unlock;
mod vouchers;
