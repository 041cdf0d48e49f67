//! HQ as an author: what the office writes goes into HQ's own log, replica 0, and from there the way of every op.

use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::chain::Link;
use sync_protocol::op::{Row, Write};
use sync_protocol::segment::{Run, SegmentError, cut};
use sync_protocol::stamp::Stamp;

use crate::intake::desk::Desk;
use crate::store::StoreError;

/// The epoch that this process opened in HQ's log, and how far it wrote.
#[derive(Debug, Clone, Copy)]
pub struct OwnLog {
    epoch: Epoch,
    last: u64,
    link: Link,
}

/// On which document an op of HQ's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// It creates one.
    Create,
    /// One that exists.
    Document(DocId),
}

/// What HQ writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOp {
    /// The document's kind.
    pub kind: u16,
    /// On which document.
    pub on: On,
    /// One write per group.
    pub writes: Vec<Write>,
}

/// Why HQ could not write.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An op beyond the limits.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// The machine gave no random number.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
    /// HQ's own intake refused it.
    #[error("headquarters' own op was refused for reason {code}: {text}")]
    Refused {
        /// The reason's number.
        code: u16,
        /// What it is about.
        text: String,
    },
}

impl Desk {
    /// Writes into HQ's own log and takes it in; returns the ops' names.
    ///
    /// # Errors
    /// [`AuthorError`]; then nothing of the transaction may be kept.
    pub fn write(&mut self, ops: Vec<NewOp>, now_ms: u64) -> Result<Vec<OpId>, AuthorError> {
        if ops.is_empty() {
            return Ok(Vec::new());
        }
        let own = match self.own {
            Some(own) => own,
            None => self.open_epoch()?,
        };
        let stamp = self.last_stamp()?.next(now_ms);
        let rows =
            ops.into_iter().map(|op| self.row_of(op, stamp)).collect::<Result<Vec<Row>, StoreError>>()?;
        let line = (Replica::HQ, own.epoch);
        let run = Run {
            line,
            first: own.last + 1,
            before: own.link,
            parent: None,
            test_clock: self.test_clock,
            rows: &rows,
        };
        let segments = cut(&self.signer, &run)?;
        let link = segments.last().map_or(own.link, |segment| segment.link);
        let count = u64::try_from(rows.len()).unwrap_or(0);
        let taken = self.take(segments, now_ms)?;
        let own_rulings = taken.rulings.iter().filter(|ruling| ruling.replica == Replica::HQ);
        let refused = own_rulings.flat_map(|ruling| &ruling.exceptions);
        for (_, verdict) in refused {
            if let sync_protocol::ruling::Verdict::Quarantined { code, text, .. } = verdict {
                return Err(AuthorError::Refused { code: *code, text: text.clone() });
            }
        }
        self.own = Some(OwnLog { last: own.last + count, link, ..own });
        self.store.set("stamp", &stamp.ms.to_le_bytes())?;
        Ok((own.last + 1..)
            .take(rows.len())
            .map(|seq| OpId { replica: line.0, epoch: line.1, seq })
            .collect())
    }

    /// Returns the name that HQ's next op will have.
    ///
    /// # Errors
    /// [`AuthorError`].
    pub fn next_op(&mut self) -> Result<OpId, AuthorError> {
        let own = match self.own {
            Some(own) => own,
            None => self.open_epoch()?,
        };
        self.own = Some(own);
        Ok(OpId { replica: Replica::HQ, epoch: own.epoch, seq: own.last + 1 })
    }

    /// A root epoch a process: two programs on one database never write under the same name.
    fn open_epoch(&self) -> Result<OwnLog, AuthorError> {
        let epoch = loop {
            let epoch = Epoch(u32::from_le_bytes(crate::keys::random()?));
            if self.store.line(0, (Replica::HQ, epoch))?.is_none() {
                break epoch;
            }
        };
        Ok(OwnLog { epoch, last: 0, link: Link::ROOT })
    }

    /// The latest stamp of any program that wrote HQ's log; the next one is a millisecond later.
    fn last_stamp(&self) -> Result<Stamp, StoreError> {
        let kept = self.store.setting("stamp")?.and_then(|bytes| bytes.try_into().ok());
        Ok(Stamp { ms: kept.map_or(0, u64::from_le_bytes), counter: u16::MAX })
    }

    /// Notes a stamp that HQ gave before it was restored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn stamped(&mut self, stamp: Stamp) -> Result<(), StoreError> {
        if stamp.ms > self.last_stamp()?.ms {
            self.store.set("stamp", &stamp.ms.to_le_bytes())
        } else {
            Ok(())
        }
    }

    /// HQ has applied all that it holds: `seen` names every line on the document.
    fn row_of(&mut self, op: NewOp, stamp: Stamp) -> Result<Row, StoreError> {
        let mut writes = op.writes;
        let tags = writes.iter().map(|write| write.tag);
        let schema = records::kinds::by_number(op.kind).map_or(1, |kind| kind.schema_of(tags));
        writes.sort_by_key(|write| write.tag);
        let (doc, seen) = match op.on {
            On::Create => (None, Vec::new()),
            On::Document(doc) => (Some(doc), self.ends_on(doc)?),
        };
        Ok(Row { kind: op.kind, schema, doc, stamp, seen, forked_from: None, writes })
    }

    fn ends_on(&mut self, doc: DocId) -> Result<Vec<OpId>, StoreError> {
        let home = self.home(doc.0.replica)?.unwrap_or(0);
        let known = self.store.known(home, doc)?.unwrap_or_default();
        let own = self.own.map(|own| (Replica::HQ, own.epoch));
        let mut ends: std::collections::BTreeMap<_, u64> = std::collections::BTreeMap::new();
        for id in known.ops {
            let line = (id.replica, id.epoch);
            if Some(line) != own {
                let end = ends.entry(line).or_default();
                *end = id.seq.max(*end);
            }
        }
        Ok(ends.into_iter().map(|((replica, epoch), seq)| OpId { replica, epoch, seq }).collect())
    }
}
