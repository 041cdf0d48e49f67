//! What goes by file: which stretches of the own log, and how far an answer counts that comes late or in another order.
//!
//! An answer over a line follows the request it answers. One in a file may be weeks old, may have been overtaken by a
//! sync, or may come from an HQ that was restored since. What HQ signed for and ruled is true whenever it is heard;
//! what its feeds brought is only taken where it goes on from what was read here.
//!
//! Source: docs/PROTOCOL.md, Bundles.

use sync_protocol::bundle::Span;
use sync_protocol::chain::Link;
use sync_protocol::conversation::Answer;
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::message::{Compared, Notice};
use sync_protocol::proof::AnswerProof;

use crate::clock::Now;
use crate::store::Store;
use crate::store::apply::Applied;
use crate::store::error::{Part, StoreError};

/// What is known of the request that an answer in a file answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// HQ's history as it was known when the bundle was written; `None` where the bundle is not remembered.
    pub under: Option<Incarnation>,
    /// Whether every earlier answer to this request was taken whole.
    pub unbroken: bool,
}

/// What became of an answer that came by file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// It is of a history of HQ that this device has left behind: nothing of it counts.
    Past,
    /// HQ's receipts and rulings were taken; its feeds had gone on already.
    Word(Applied),
    /// Likewise, and all that its feeds bring was read here: the answer behind it goes on from there.
    Read(Applied),
    /// All of it was taken.
    Whole(Applied),
}

impl Store {
    /// Returns the stretches of the own log that HQ did not sign for, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn unsent_spans(&self) -> Result<Vec<Span>, StoreError> {
        let mut spans = Vec::new();
        for unheld in self.unheld()? {
            let parent = self.line((self.replica(), unheld.epoch))?.parent;
            let before = match unheld.held {
                0 => parent.map_or(Link::ROOT, |parent| parent.link),
                held => self.link_at(unheld.epoch, held)?.ok_or_else(|| self.damaged(Part::Log))?,
            };
            let (first, last) = (unheld.held + 1, unheld.last);
            spans.push(Span { epoch: unheld.epoch, parent, first, last, before });
        }
        Ok(spans)
    }

    /// Takes in an answer that came by file, as far as it counts. Its signature was checked.
    ///
    /// # Errors
    /// Those of [`Store::apply`].
    pub fn apply_carried(
        &mut self,
        mut answer: Answer,
        proof: &AnswerProof,
        written: Written,
        now: Now,
    ) -> Result<Carried, StoreError> {
        let here = &self.state.cursor;
        if !counts(here, answer.ack.incarnation, written.under) {
            return Ok(Carried::Past);
        }
        let whole = goes_on(here, &answer.end.next, written);
        let known = was_read(here, &answer.end.next, written);
        if !whole {
            answer.items.clear();
            answer.end.next.positions.clear();
        }
        if !ahead(here, &answer.end.next) {
            // It is old news: what stands here stays, and what waits for HQ's word of today goes on waiting.
            let waits = self.state.numbers_suspended && !whole;
            answer.end.more = waits || !self.state.level;
            let of_then = |notice: &Notice| matches!(notice, Notice::Copied | Notice::BackedUp { .. });
            answer.notices.retain(|notice| !of_then(notice));
            answer.notices.extend(self.state.copied.then_some(Notice::Copied));
        }
        // What HQ held then is no word of today: only a conversation says that it holds less than before.
        for held in std::mem::take(&mut answer.ack.held) {
            if self.line((self.replica(), held.epoch))?.held <= held.up_to {
                answer.ack.held.push(held);
            }
        }
        // A file shows no lease and takes none: it is no sign of a copy, whenever it comes.
        answer.ack.lease = self.state.lease;
        answer.ack.digest = Compared::Not;
        let applied = self.apply(&answer, proof, now)?;
        Ok(match (whole, known) {
            (true, _) => Carried::Whole(applied),
            (false, true) => Carried::Read(applied),
            (false, false) => Carried::Word(applied),
        })
    }
}

/// Whether an answer of that incarnation says anything here.
fn counts(here: &Cursor, theirs: Incarnation, under: Option<Incarnation>) -> bool {
    here.incarnation == theirs || under == Some(here.incarnation) || *here == Cursor::default()
}

/// Whether the feeds of an answer begin at or before what was read here and end at or behind it.
fn goes_on(here: &Cursor, next: &Cursor, written: Written) -> bool {
    let begins = written.unbroken && written.under.is_some();
    let behind = next.positions.iter().all(|(feed, position)| *position >= here.position(*feed));
    begins && (behind || here.incarnation != next.incarnation)
}

/// Whether all that the feeds of an answer bring was read here, as before a kill in the middle of a receipt.
fn was_read(here: &Cursor, next: &Cursor, written: Written) -> bool {
    let behind = next.positions.iter().all(|(feed, position)| *position <= here.position(*feed));
    written.unbroken && written.under.is_some() && here.incarnation == next.incarnation && behind
}

/// Whether an answer moves any feed.
fn ahead(here: &Cursor, next: &Cursor) -> bool {
    here.incarnation != next.incarnation
        || next.positions.iter().any(|(feed, position)| *position > here.position(*feed))
}

#[cfg(test)]
mod tests {
    use sync_protocol::cursor::Feed;

    use super::*;

    fn at(incarnation: u32, company: u64, own: u64) -> Cursor {
        let positions = vec![(Feed::Company, company), (Feed::OWN, own)];
        Cursor { incarnation: Incarnation(incarnation), positions }
    }

    fn written(under: u32) -> Written {
        Written { under: Some(Incarnation(under)), unbroken: true }
    }

    #[test]
    fn a_position_never_falls_and_a_gap_is_never_skipped() {
        let here = at(3, 10, 5);
        assert!(goes_on(&here, &at(3, 12, 5), written(3)));
        assert!(!goes_on(&here, &at(3, 12, 4), written(3)));
        assert!(!goes_on(&here, &at(3, 12, 6), Written { unbroken: false, ..written(3) }));
        assert!(!goes_on(&here, &at(3, 12, 6), Written { under: None, unbroken: true }));
        assert!(!ahead(&here, &at(3, 10, 5)) && ahead(&here, &at(3, 10, 6)));
    }

    #[test]
    fn what_was_read_before_a_kill_leads_on_to_what_was_not() {
        let here = at(3, 10, 5);
        assert!(was_read(&here, &at(3, 8, 5), written(3)) && was_read(&here, &here, written(3)));
        assert!(!was_read(&here, &at(3, 8, 6), written(3)), "it brings something else");
        assert!(!was_read(&here, &at(4, 8, 5), written(3)), "of another history");
        assert!(!was_read(&here, &at(3, 8, 5), Written { unbroken: false, ..written(3) }));
    }

    #[test]
    fn an_hq_that_was_restored_counts_once_and_its_past_never() {
        let here = at(3, 10, 5);
        assert!(counts(&here, Incarnation(4), Some(Incarnation(3))));
        assert!(!counts(&here, Incarnation(2), Some(Incarnation(2))));
        assert!(!counts(&here, Incarnation(2), None));
        assert!(counts(&Cursor::default(), Incarnation(2), None));
        assert!(goes_on(&here, &at(4, 1, 0), written(3)));
    }
}
