//! What the feeds bring, in a form that a program of another version reads.
//!
//! A row of a kind or schema that the reader does not have must not stand in columns: those are frozen with a table.
//! A segment that its author coded so cannot be coded again under his signature; its rows travel as an extract.
//!
//! Source: docs/PROTOCOL.md, Evolution.

use records::id::{Epoch, Replica};
use sync_protocol::asides::{Ask, Tell};
use sync_protocol::columns;
use sync_protocol::message::{Extract, Hello, Item};
use sync_protocol::op::Row;
use sync_protocol::segment::{Body, Segment};
use sync_protocol::tables::Tables;

use crate::intake::desk::Desk;
use crate::store::StoreError;

/// Returns what the device's program reads; `None`: just what this one does.
///
/// Where it has other tables and did not list them yet, it is given nothing in columns: it hears that they differ, and
/// lists them the next time.
#[must_use]
pub fn reads(hello: &Hello, asks: &[Ask]) -> Option<Tables> {
    if hello.schemas == Tables::own().hash() {
        return None;
    }
    let listed = asks.iter().find_map(|ask| match ask {
        Ask::Tables(tables) if tables.hash() == hello.schemas => Some(tables.clone()),
        _ => None,
    });
    Some(listed.unwrap_or_default())
}

/// Returns what a device is told whose program reads otherwise.
#[must_use]
pub fn told(reads: Option<&Tables>) -> Option<Tell> {
    reads.map(|_| Tell::Tables(Tables::own()))
}

impl Desk {
    /// Returns items as their reader reads them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn readable(&mut self, items: Vec<Item>, reads: Option<&Tables>) -> Result<Vec<Item>, StoreError> {
        let Some(reads) = reads else { return Ok(items) };
        items.into_iter().map(|item| self.readable_item(item, reads)).collect()
    }

    fn readable_item(&mut self, item: Item, reads: &Tables) -> Result<Item, StoreError> {
        match item {
            Item::Segment(segment) => self.readable_segment(segment, reads),
            Item::Extract(extract) if columns::is_plain(&extract.rows) => Ok(Item::Extract(extract)),
            Item::Extract(extract) => {
                let rows = extract.open().map_err(|_| StoreError::Damaged { table: "feed" })?;
                let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
                let rows = columns::encode_for(&rows, (extract.replica, extract.epoch), &extract.seqs, reads);
                Ok(Item::Extract(Extract { rows, ..extract }))
            }
            Item::Evict(_) | Item::Newer { .. } => Ok(item),
        }
    }

    fn readable_segment(&mut self, segment: Segment, reads: &Tables) -> Result<Item, StoreError> {
        let body = Body::from_bytes(&segment.body).map_err(|_| StoreError::Damaged { table: "segments" })?;
        let rows = self.rows(&segment)?;
        if columns::is_plain(&body.rows) || rows.iter().all(|row| reads.reads(row.kind, row.schema)) {
            return Ok(Item::Segment(segment));
        }
        let line: (Replica, Epoch) = segment.line();
        let seqs: Vec<u64> = segment.ids().map(|id| id.seq).collect();
        let branch = self.home(line.0)?.unwrap_or(0);
        let parent = self.store.line(branch, line)?.and_then(|held| held.parent);
        let rows = columns::encode_for(&rows, line, &seqs, reads);
        Ok(Item::Extract(Extract { replica: line.0, epoch: line.1, parent, seqs, rows }))
    }
}
