//! The office's use cases with claims and money: a request value in, an answer value out.
//!
//! Reading order: [`terms`], [`load`] and [`lease`], [`facts`] and [`beside`], [`refusal`], [`actor`], [`decide`], then the
//! desks in the order of a claim's way: [`review`], [`receive`], [`gaps`], [`audit`], [`cases`], `late`, [`pay`], [`bank`],
//! [`trail`]; what betrays a wrong claim, [`traces`]; and what a desk has before it: [`seats`], [`waiting`], [`story`].

pub mod actor;
mod alerts;
pub mod audit;
pub mod bank;
pub mod bank_result;
#[cfg(test)]
pub(crate) mod bench;
pub mod beside;
pub mod cases;
pub mod claims;
pub mod clerk;
pub mod cycles;
pub mod decide;
pub mod facts;
pub mod gaps;
mod import;
pub(crate) mod index;
mod late;
pub mod lease;
pub mod load;
pub mod pay;
pub mod receive;
pub mod refusal;
pub mod resume;
pub mod review;
pub mod rows;
#[cfg(test)]
mod scale;
pub mod seats;
pub mod story;
pub mod terms;
pub mod traces;
pub mod trail;
pub mod trial;
pub mod waiting;
pub mod window;
