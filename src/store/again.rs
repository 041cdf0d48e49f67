//! Offering a restored HQ what it may have lost: its own words first, then what others wrote.
//!
//! How far that went is kept, so that a sync that is cut or short of bytes goes on where it stopped.
//!
//! Source: docs/PROTOCOL.md, A restored HQ.

use records::id::{DocId, OpId, Replica};
use records::kinds::number;
use serde::{Deserialize, Serialize};
use sync_protocol::asides::Ask;
use sync_protocol::segment::Segment;
use sync_protocol::stamp::Stamp;

use crate::store::Store;
use crate::store::database::Tree;
use crate::store::error::{Part, StoreError};
use crate::store::run::{Run, RunKey};
use crate::store::state::OFFER_KEY;
use crate::store::work::Work;

/// What is said of oneself to an HQ that does not know one any more, at most.
const INTRODUCTION_BYTES: usize = 1024 * 1024;

/// How far the offering is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What has a ruling of a lower order is in HQ's backup.
    order: u64,
    part: OfferPart,
}

/// What is offered next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum OfferPart {
    /// HQ's own words: the signature behind that key, its extracts from that one on.
    Words { after: Vec<u8>, from: u32 },
    /// Others' segments: those behind that run.
    Segments { after: Vec<u8> },
    /// All was offered; what it changed at HQ is still to be read.
    Done,
}

/// A part of what is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// HQ's words under its signature.
    pub asks: Vec<Ask>,
    /// Others' segments.
    pub segments: Vec<Segment>,
    /// How far the offering is once HQ has answered.
    pub next: Offer,
}

impl Offer {
    /// Returns whether HQ has heard all its own words: what it says anew of own ops would else stand in their way.
    #[must_use]
    pub fn words_are_said(&self) -> bool {
        match self.part {
            OfferPart::Words { .. } => false,
            OfferPart::Segments { .. } | OfferPart::Done => true,
        }
    }

    /// Returns whether all was offered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.part == OfferPart::Done
    }
}

impl Store {
    /// Begins to offer everything that a backup of that order may lack.
    pub(in crate::store) fn begin_offer(&self, work: &mut Work, order: u64) -> Result<(), StoreError> {
        // Restored twice before all was offered: what the first backup lacked, the second may lack too.
        let order = self.offer()?.map_or(order, |offer| offer.order.min(order));
        let part = OfferPart::Words { after: Vec::new(), from: 0 };
        let bytes = postcard::to_allocvec(&Offer { order, part }).unwrap_or_default();
        work.change.put(Tree::Meta, OFFER_KEY, bytes);
        Ok(())
    }

    /// Returns how far the offering is; `None` where nothing is offered.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn offer(&self) -> Result<Option<Offer>, StoreError> {
        let bytes = self.get(Tree::Meta, OFFER_KEY)?;
        let read = |bytes: Vec<u8>| postcard::from_bytes(&bytes).map_err(|_| self.damaged(Part::Database));
        bytes.map(read).transpose()
    }

    /// Notes how far the offering is; `None` ends it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_offer(&mut self, offer: Option<&Offer>) -> Result<(), StoreError> {
        let mut work = self.work();
        match offer {
            Some(offer) => {
                work.change.put(Tree::Meta, OFFER_KEY, postcard::to_allocvec(offer).unwrap_or_default());
            }
            None => work.change.remove(Tree::Meta, OFFER_KEY),
        }
        self.commit(work)?;
        self.checkpoint()
    }

    /// Returns the next part of what is offered, about `bytes_max` bytes of it; `None` where all was offered.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn offer_next(&self, bytes_max: usize) -> Result<Option<Offered>, StoreError> {
        let Some(offer) = self.offer()?.filter(|offer| !offer.is_done()) else {
            return Ok(None);
        };
        let mut offered = Offered { asks: Vec::new(), segments: Vec::new(), next: offer };
        let mut bytes = 0;
        while bytes < bytes_max {
            bytes += match offered.next.part.clone() {
                OfferPart::Words { after, from } => self.offer_words(&mut offered, &after, from)?,
                OfferPart::Segments { after } => self.offer_segment(&mut offered, &after)?,
                OfferPart::Done => break,
            };
        }
        Ok(Some(offered))
    }

    /// Offers one more signature with what it covers, or goes on to the segments; returns the bytes.
    fn offer_words(&self, offered: &mut Offered, after: &[u8], from: u32) -> Result<usize, StoreError> {
        let begun = usize::try_from(from).unwrap_or(0);
        let key = match begun {
            0 => self.next_proof(after, self.state.cursor.incarnation)?,
            _ => Some(after.to_vec()),
        };
        let Some(key) = key else {
            offered.next.part = OfferPart::Segments { after: Vec::new() };
            return Ok(0);
        };
        let kept = self.kept_proof(&key)?;
        let mut next = None;
        let mut bytes = 0;
        if kept.is_after(offered.next.order, &self.identity.enrolment.hq_key) {
            let (asks, goes_on) = self.shown(&kept, begun)?;
            next = goes_on;
            bytes = asks.iter().map(length).sum();
            offered.asks.extend(asks);
        }
        let from = next.and_then(|next| u32::try_from(next).ok()).unwrap_or(0);
        offered.next.part = OfferPart::Words { after: key, from };
        Ok(bytes)
    }

    /// Offers one more segment, or ends; returns its bytes.
    fn offer_segment(&self, offered: &mut Offered, after: &[u8]) -> Result<usize, StoreError> {
        let mut found = None;
        self.keys_from(Tree::Log, after, &mut |bytes| {
            if bytes != after
                && let Some(key) = RunKey::from_bytes(bytes)
                && let Run::Segment(segment) = &self.run(key)?.run
                && self.is_after(segment, offered.next.order)?
            {
                found = Some((bytes.to_vec(), segment.clone()));
            }
            Ok(found.is_none())
        })?;
        let Some((after, segment)) = found else {
            offered.next.part = OfferPart::Done;
            return Ok(0);
        };
        let bytes = weight(&segment);
        offered.segments.push(segment);
        offered.next.part = OfferPart::Segments { after };
        Ok(bytes)
    }

    /// May a backup of that order lack any op of the segment?
    fn is_after(&self, segment: &Segment, order: u64) -> Result<bool, StoreError> {
        for seq in [segment.first, segment.last()] {
            let id = OpId { replica: segment.replica, epoch: segment.epoch, seq };
            let judgement = self.judgement(id, Stamp::default())?;
            if judgement.is_none_or(|judgement| judgement.order >= order) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns HQ's own ops that say who this device is and for whom it works, for an HQ whose backup is older.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn introduction(&self) -> Result<(Vec<Ask>, Vec<Segment>), StoreError> {
        let mut docs: Vec<DocId> = self.numbered(&self.replica().0.to_string())?;
        docs.push(self.identity.enrolment.staff);
        self.each_entry(Some(number::ORG), &mut |entry| {
            docs.push(entry.id);
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        let (mut asks, mut segments, mut bytes) = (Vec::new(), Vec::<Segment>::new(), 0);
        for doc in docs {
            let Some(entry) = self.entry(doc)? else { continue };
            for id in entry.op_ids().filter(|id| id.replica == Replica::HQ) {
                if bytes > INTRODUCTION_BYTES {
                    break;
                }
                let run = self.run_of(id)?.ok_or_else(|| self.damaged(Part::Log))?;
                match &run.run {
                    Run::Segment(segment) if !segments.contains(segment) => {
                        bytes += weight(segment);
                        segments.push(segment.clone());
                    }
                    Run::Extract(extract) => {
                        let ask = self.proven_extract(extract)?.filter(|ask| !asks.contains(ask));
                        bytes += ask.as_ref().map_or(0, length);
                        asks.extend(ask);
                    }
                    Run::Own { .. } | Run::Segment(_) => {}
                }
            }
        }
        Ok((asks, segments))
    }
}

/// A segment's bytes, but no less than keeps the ops of a request within their limit.
fn weight(segment: &Segment) -> usize {
    const OP_BYTES_MIN: usize = 256;
    segment.body.len().max(usize::try_from(segment.count).unwrap_or(usize::MAX) * OP_BYTES_MIN)
}

fn length(ask: &Ask) -> usize {
    let mut bytes = Vec::new();
    ask.write(&mut bytes);
    bytes.len()
}
