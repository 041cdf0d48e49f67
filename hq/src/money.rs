//! The office's use cases with claims and money: a request value in, an answer value out.
//!
//! Reading order: [`terms`], [`load`] and [`lease`], [`refusal`], [`actor`], [`decide`], then the desks in the order of
//! a claim's way.

pub mod actor;
#[cfg(test)]
pub(crate) mod bench;
pub mod clerk;
pub mod decide;
pub mod facts;
mod import;
pub mod lease;
pub mod load;
pub mod refusal;
pub mod rows;
pub mod terms;
