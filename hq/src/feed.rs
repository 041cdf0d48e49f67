//! What a device has still to read: the next page of its feeds, never more than it asked for.

mod named;

use std::collections::{BTreeMap, BTreeSet};

use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::chain::Line;
use sync_protocol::columns;
use sync_protocol::cursor::{Cursor, Feed};
use sync_protocol::limits::{BODY_BYTES_MAX, BODY_OPS_MAX, SEGMENT_ROW_BYTES_MAX};
use sync_protocol::message::{Extract, Item, PageEnd};
use sync_protocol::op::Row;
use sync_protocol::ruling::Ruling;
use sync_protocol::segment::Segment;
use sync_protocol::tables::Tables;

use crate::feed::named::{Named, apart, runs};
use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::feeds::Entry;

/// Entries looked at in one go: the segments that they name have 4.5 MiB together, where all are as large as may be.
const ENTRIES: u32 = 64;
/// Entries looked at first; then twice as many each time, so that a small page does not read much that it has no room for.
const ENTRIES_FIRST: u32 = 4;
/// What stands around an item on the wire, at most.
const ITEM_OVERHEAD: usize = 160;
/// A ruling without exceptions, at most.
const RULING_BYTES: usize = 48;
/// One exception of a ruling, at most: a reason's number and the name of a field or a step, or an op's name.
const EXCEPTION_BYTES: usize = 48;
/// Items of one page: each extract's leaf stands beside whatever of the page is shown to a restored HQ.
const ITEMS_MAX: usize = 2048;
/// Bytes of the rulings of one page: they are shown to a restored HQ as one message.
const RULINGS_BYTES_MAX: usize = 128 * 1024;
/// Room for the rest of the answer.
const REST_BYTES: usize = 64 * 1024;

/// Who reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The device.
    pub replica: Replica,
    /// The branch under which its feed is kept.
    pub home: u32,
    /// Whose it is.
    pub staff: Option<DocId>,
    /// The branch whose feed it reads, where its owner oversees one.
    pub oversees: Option<u32>,
    /// What its program reads; `None`: just what this one does.
    pub reads: Option<Tables>,
}

impl Reader {
    /// Returns the feeds that it reads, in this order.
    pub fn feeds(&self) -> impl Iterator<Item = Feed> + use<> {
        let branch = self.oversees.map(Feed::Branch);
        [Some(Feed::Company), branch, Some(Feed::Replica(self.replica.0))].into_iter().flatten()
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What the feeds bring.
    pub items: Vec<Item>,
    /// What HQ says of it, and of the reader's own ops.
    pub rulings: Vec<Ruling>,
    /// How far that is.
    pub end: PageEnd,
}

/// A page being filled.
#[derive(Default)]
struct Sheet {
    items: Vec<Item>,
    rulings: Vec<Ruling>,
    said: BTreeSet<(Line, u64, u32, u8)>,
    bytes: usize,
    said_bytes: usize,
    ops: usize,
}

impl Sheet {
    /// Whether so much more fits; the first entry always does.
    fn fits(&self, items: &[Item], rulings: &[Ruling], budget: usize) -> bool {
        let said_bytes: usize = rulings.iter().map(said).sum();
        let bytes = items.iter().map(size).sum::<usize>() + said_bytes;
        let ops: usize = items.iter().map(count).sum();
        self.bytes + bytes <= budget
            && self.ops + ops <= BODY_OPS_MAX
            && self.items.len() + items.len() <= ITEMS_MAX
            && self.said_bytes + said_bytes <= RULINGS_BYTES_MAX
    }

    fn take(&mut self, items: Vec<Item>, rulings: Vec<Ruling>) {
        let said_bytes: usize = rulings.iter().map(said).sum();
        self.said_bytes += said_bytes;
        self.bytes += items.iter().map(size).sum::<usize>() + said_bytes;
        self.ops += items.iter().map(count).sum::<usize>();
        self.items.extend(items);
        for ruling in rulings {
            let name = ((ruling.replica, ruling.epoch), ruling.first, ruling.count, ruling.version);
            if self.said.insert(name) {
                self.rulings.push(ruling);
            }
        }
    }
}

impl Desk {
    /// Returns what follows `cursor`, up to `bytes_max` bytes; at least one entry where there is any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(&mut self, reader: &Reader, cursor: &Cursor, bytes_max: usize) -> Result<Page, StoreError> {
        let budget = bytes_max.min(BODY_BYTES_MAX).saturating_sub(REST_BYTES);
        let mut sheet = Sheet::default();
        let mut next = Cursor { incarnation: self.incarnation, positions: Vec::new() };
        let mut more = false;
        for feed in reader.feeds() {
            let after = self.position(reader.home, cursor, feed)?;
            // Once one feed has more than fits, the others stay where they are.
            let at = if more { after } else { self.fill(&mut sheet, reader, feed, after, budget)? };
            // A cursor of an older history is told where every feed stands in this one.
            if at > after || (at > 0 && cursor.incarnation != self.incarnation) {
                next.positions.push((feed.told(), at));
            }
            more |= at < self.store.feed_end(reader.home, feed)?;
        }
        next.positions.sort_unstable();
        Ok(Page { items: sheet.items, rulings: sheet.rulings, end: PageEnd { next, more } })
    }

    /// Returns how far a feed was read; of an older history that counts as far as this one shares it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn position(&self, home: u32, cursor: &Cursor, feed: Feed) -> Result<u64, StoreError> {
        let read = cursor.position(feed.told());
        if cursor.incarnation == self.incarnation {
            return Ok(read);
        }
        Ok(read.min(self.store.ancestor_end(cursor.incarnation, home, feed)?))
    }

    fn fill(
        &mut self,
        sheet: &mut Sheet,
        reader: &Reader,
        feed: Feed,
        after: u64,
        budget: usize,
    ) -> Result<u64, StoreError> {
        let mut at = after;
        let mut together = ENTRIES_FIRST;
        loop {
            let entries = self.store.feed_after(reader.home, feed, at, together)?;
            if entries.is_empty() {
                return Ok(at);
            }
            together = together.saturating_mul(2).min(ENTRIES);
            let named = self.look_up(reader, feed, &entries)?;
            for (position, entry) in entries {
                // However little was asked for, the first entry comes: else the reader would ask for ever.
                let first = sheet.items.is_empty() && sheet.rulings.is_empty();
                if !first && sheet.bytes >= budget {
                    return Ok(at);
                }
                let (items, rulings) = self.brings(reader, feed, entry, &named)?;
                let items = self.readable(items, reader.reads.as_ref())?;
                if !first && !sheet.fits(&items, &rulings, budget) {
                    return Ok(at);
                }
                sheet.take(items, rulings);
                at = position;
            }
        }
    }

    /// Reads what entries name, all of a line together; of what the reader wrote, nothing.
    fn look_up(
        &mut self,
        reader: &Reader,
        feed: Feed,
        entries: &[(u64, Entry)],
    ) -> Result<Named, StoreError> {
        let mut named = Named::default();
        let entries = || entries.iter().map(|(_, entry)| entry).filter(|entry| !is_own(reader, feed, entry));
        let mut firsts: BTreeMap<Line, Vec<u64>> = BTreeMap::new();
        for entry in entries() {
            if let Entry::Segment { line, first } = entry {
                firsts.entry(*line).or_default().push(*first);
            }
        }
        for (line, firsts) in firsts {
            let branch = self.home(line.0)?.unwrap_or(0);
            named.keep_segments(self.store.segments_from(branch, line, &firsts)?);
        }
        for (line, from, to) in apart(entries().flat_map(|entry| named.spans(entry)).collect()) {
            let branch = self.home(line.0)?.unwrap_or(0);
            named.keep_rulings(self.store.rulings(branch, line, from, to)?);
        }
        Ok(named)
    }

    fn brings(
        &mut self,
        reader: &Reader,
        feed: Feed,
        entry: Entry,
        named: &Named,
    ) -> Result<(Vec<Item>, Vec<Ruling>), StoreError> {
        if is_own(reader, feed, &entry) {
            return Ok((Vec::new(), Vec::new()));
        }
        match entry {
            Entry::Segment { line, first } => {
                let segment = named.segment_from(line, first);
                let segment = segment.ok_or(StoreError::Damaged { table: "feed" })?;
                let rulings = named.said(line, first, segment.last()).cloned().collect();
                Ok((vec![Item::Segment(segment.clone())], rulings))
            }
            Entry::Ops { line, seqs } => self.extract(line, &seqs, named),
            Entry::Ruling(ruling) => Ok((Vec::new(), vec![ruling])),
            Entry::Evict(doc) => {
                let gone = (!self.sees(reader, doc)?).then_some(Item::Evict(doc));
                Ok((gone.into_iter().collect(), Vec::new()))
            }
        }
    }

    /// Does a document that left one of his feeds stay with him by another?
    fn sees(&mut self, reader: &Reader, doc: DocId) -> Result<bool, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let known = self.store.known(home, doc)?.unwrap_or_default();
        let own = reader.staff.is_some_and(|staff| known.people.contains(&staff));
        Ok(own || reader.oversees.is_some_and(|branch| branch == known.scope))
    }

    /// Some ops of a line, and what HQ says of exactly these.
    fn extract(
        &mut self,
        line: Line,
        seqs: &[u64],
        named: &Named,
    ) -> Result<(Vec<Item>, Vec<Ruling>), StoreError> {
        let branch = self.home(line.0)?.unwrap_or(0);
        let parent = self.parent(branch, line)?;
        let mut items = Vec::new();
        let mut part: (Vec<u64>, Vec<Row>, usize) = Default::default();
        let mut before = None;
        for seq in seqs {
            let row =
                self.row_behind(branch, OpId { replica: line.0, epoch: line.1, seq: *seq }, &mut before)?;
            let row = row.ok_or(StoreError::Damaged { table: "feed" })?;
            let bytes = row.to_bytes().len();
            if part.2 + bytes > SEGMENT_ROW_BYTES_MAX {
                let (seqs, rows, _) = std::mem::take(&mut part);
                items.push(Item::Extract(extract(line, parent, seqs, &rows)));
            }
            part.0.push(*seq);
            part.1.push(row);
            part.2 += bytes;
        }
        items.push(Item::Extract(extract(line, parent, part.0, &part.1)));
        let said = runs(seqs).flat_map(|(from, to)| {
            named.said(line, from, to).filter_map(move |ruling| within(ruling, from, to))
        });
        Ok((items, said.collect()))
    }

    /// Returns an op; `before` is the segment of the op before it in the same line, which as a rule holds this one too.
    fn row_behind(
        &mut self,
        branch: u32,
        id: OpId,
        before: &mut Option<Segment>,
    ) -> Result<Option<Row>, StoreError> {
        let holds = |segment: &Segment| (segment.first..=segment.last()).contains(&id.seq);
        if !before.as_ref().is_some_and(holds) {
            let kept = self.store.segment_at(branch, (id.replica, id.epoch), id.seq)?;
            *before = kept.map(|kept| kept.segment);
        }
        let Some(segment) = before else { return self.store.island(branch, id) };
        let at = usize::try_from(id.seq.saturating_sub(segment.first)).unwrap_or(usize::MAX);
        Ok(self.rows(segment)?.get(at).cloned())
    }
}

/// Whether an entry names what the reader wrote: a device holds that; only its own feed gives it back, where it was lost.
fn is_own(reader: &Reader, feed: Feed, entry: &Entry) -> bool {
    match entry {
        Entry::Segment { line, .. } | Entry::Ops { line, .. } => {
            line.0 == reader.replica && !matches!(feed, Feed::Replica(_))
        }
        Entry::Ruling(_) | Entry::Evict(_) => false,
    }
}

fn extract(
    (replica, epoch): (Replica, Epoch),
    parent: Option<sync_protocol::chain::Parent>,
    seqs: Vec<u64>,
    rows: &[Row],
) -> Extract {
    let rows = columns::encode(rows, (replica, epoch), &seqs);
    Extract { replica, epoch, parent, seqs, rows }
}

/// The part of a ruling on ops `from ..= to`, so that a reader learns nothing of ops that are not his.
fn within(ruling: &Ruling, from: u64, to: u64) -> Option<Ruling> {
    let end = ruling.first.saturating_add(u64::from(ruling.count));
    let first = from.max(ruling.first);
    let last = to.min(end.saturating_sub(1));
    let count = u32::try_from(last.checked_sub(first)?.saturating_add(1)).ok()?;
    let skip = u32::try_from(first - ruling.first).ok()?;
    let inside = ruling.exceptions.iter().filter_map(|(at, verdict)| {
        let at = at.checked_sub(skip).filter(|at| *at < count)?;
        Some((at, verdict.clone()))
    });
    Some(Ruling {
        first,
        count,
        order: ruling.order.saturating_add(u64::from(skip)),
        exceptions: inside.collect(),
        ..ruling.clone()
    })
}

fn size(item: &Item) -> usize {
    ITEM_OVERHEAD
        + match item {
            Item::Segment(segment) => segment.body.len(),
            Item::Extract(extract) => extract.rows.len() + extract.seqs.len() * 2,
            Item::Evict(_) | Item::Newer { .. } => 0,
        }
}

fn said(ruling: &Ruling) -> usize {
    RULING_BYTES + ruling.exceptions.len() * EXCEPTION_BYTES
}

fn count(item: &Item) -> usize {
    match item {
        Item::Segment(segment) => usize::try_from(segment.count).unwrap_or(usize::MAX),
        Item::Extract(extract) => extract.seqs.len(),
        Item::Evict(_) | Item::Newer { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_protocol::ruling::Verdict;

    #[test]
    fn a_reader_learns_nothing_of_ops_that_are_not_his() {
        let ruling = Ruling {
            replica: Replica(7),
            epoch: Epoch(1),
            first: 10,
            count: 10,
            order: 100,
            cap_ms: 5,
            version: 1,
            exceptions: vec![(1, Verdict::Merged), (5, Verdict::TooLate)],
        };
        let part = within(&ruling, 14, 16).unwrap();
        assert_eq!((part.first, part.count, part.order), (14, 3, 104));
        assert_eq!(part.exceptions, [(1, Verdict::TooLate)]);
        assert_eq!(within(&ruling, 20, 30), None);
        assert_eq!(within(&ruling, 1, 9), None);
    }
}
