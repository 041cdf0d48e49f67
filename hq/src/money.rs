//! The office's use cases with claims and money: a request value in, an answer value out.
//!
//! Reading order: [`refusal`], [`actor`], [`decide`], then the desks in the order of a claim's way.

pub mod actor;
pub mod decide;
pub mod refusal;
pub mod rows;
