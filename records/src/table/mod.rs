//! Tables of others: CSV and JSON lines in, by a mapping; CSV, JSON lines and XLSX out.
//!
//! Bytes in, rows out; rows in, bytes out. Nothing here opens a file or changes a record: the importers of both
//! programs do, row by row, and memory does not grow with the file (but for 20 bytes a row where a mapping names no key).
//! Reading order: [`source`], [`record`], [`refusal`], [`cell`], [`pick`], [`mapping`], [`mapping_walk`], [`plain`], [`make`], [`rows`], [`export`].

pub mod cell;
pub mod decimal;
pub mod export;
pub mod make;
pub mod mapping;
mod mapping_toml;
pub mod mapping_walk;
pub mod pick;
pub mod plain;
pub mod record;
pub mod refusal;
pub mod rows;
pub mod source;
mod xlsx;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
