//! The office's console: the same use cases as the command line, as pages for people who log in; no rule lives here.
//!
//! Reading order: [`console`], [`door`], [`desk`], [`routes`], then one file per group of pages.

mod admin;
mod approve;
mod audit;
mod charts;
mod claims;
pub mod console;
pub mod desk;
mod door;
mod jobs;
mod lists;
mod pay;
mod review;
pub mod routes;
#[cfg(test)]
pub(crate) mod testing;
mod today;
