//! How the rows of a segment are coded; the coding is lossless, so the rows' own bytes and their chain come back.
//!
//! The first byte names the coding.
//! 0: the rows one after the other, each behind its length.
//!
//! Source: docs/PROTOCOL.md, Rows of a segment.

use crate::canonical;
use crate::chain::Line;
use crate::limits::{OP_BYTES_MAX, SEGMENT_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use crate::op::Row;

const PLAIN: u8 = 0;

/// Why bytes are not the coding of these rows.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ColumnsError {
    /// A newer version's coding.
    #[error("rows in coding {0}, which this build does not read")]
    Newer(u8),
    /// More ops or more bytes than a segment may hold.
    #[error("rows beyond {SEGMENT_OPS_MAX} ops or {SEGMENT_ROW_BYTES_MAX} bytes")]
    Size,
    /// They do not decode to one row a seq.
    #[error("rows that do not decode")]
    Malformed,
}

/// Returns the coding of `rows`; row `i` is op `seqs[i]` of `line`.
#[must_use]
pub fn encode(rows: &[Row], _line: Line, _seqs: &[u64]) -> Vec<u8> {
    let mut out = vec![PLAIN];
    for row in rows {
        let bytes = row.to_bytes();
        canonical::push_len(bytes.len(), &mut out);
        out.extend_from_slice(&bytes);
    }
    out
}

/// Reads as many rows as there are `seqs`, and nothing besides.
///
/// # Errors
/// [`ColumnsError`].
pub fn decode(bytes: &[u8], _line: Line, seqs: &[u64]) -> Result<Vec<Row>, ColumnsError> {
    if seqs.len() > SEGMENT_OPS_MAX {
        return Err(ColumnsError::Size);
    }
    match bytes.split_first() {
        Some((&PLAIN, rest)) => decode_plain(rest, seqs.len()),
        Some((&newer, _)) => Err(ColumnsError::Newer(newer)),
        None => Err(ColumnsError::Malformed),
    }
}

fn decode_plain(mut rest: &[u8], count: usize) -> Result<Vec<Row>, ColumnsError> {
    let mut rows = Vec::with_capacity(count);
    let mut row_bytes = 0;
    for _ in 0..count {
        let bytes = canonical::take_bytes(&mut rest).ok_or(ColumnsError::Malformed)?;
        row_bytes += bytes.len();
        if bytes.len() > OP_BYTES_MAX || row_bytes > SEGMENT_ROW_BYTES_MAX {
            return Err(ColumnsError::Size);
        }
        rows.push(Row::from_bytes(bytes).map_err(|_| ColumnsError::Malformed)?);
    }
    if rest.is_empty() {
        Ok(rows)
    } else {
        Err(ColumnsError::Malformed)
    }
}
