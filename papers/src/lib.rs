//! Papers: forms as PDF and lists as XLSX and CSV, for both programs; values in, bytes out, no clock, disk or environment.
//!
//! Reading order: [`paper`], [`claim`], [`paste`], [`trip`], [`sheet`], [`capitals`], [`lists`], [`read`], [`typefaces`], [`search`], [`words`].

pub mod batch;
mod block;
pub mod capitals;
pub mod claim;
mod embed;
pub mod face;
mod lines;
pub mod lists;
pub mod paper;
pub mod paste;
mod press;
pub mod read;
pub mod search;
mod set;
pub mod sheet;
mod symbol;
pub mod trip;
pub mod typefaces;
pub mod words;
