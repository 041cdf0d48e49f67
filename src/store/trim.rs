//! Letting go of journal files whose every op is in two other places.
//!
//! Shortness of space never lowers what is asked of a file before it goes.

use records::id::OpId;

use crate::clock::Now;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::journal::{self, Contents, Frame};
use crate::store::renamed::Names;
use crate::store::run::Run;
use crate::store::write::ids;

/// How long a file stays that HQ signed for and no backup of HQ holds yet: 14 days.
const KEPT_MS: u64 = 14 * 24 * 60 * 60 * 1000;

impl Store {
    /// Removes the oldest journal files that are no longer needed; call it after a checkpoint.
    ///
    /// A file goes only where a backup of HQ holds every op in it, or HQ signed for all of them and the last is at least
    /// 14 days old; and only where the database, made durable, gives each of them back with the same bytes.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub(in crate::store) fn trim(&self, now: Now) -> Result<(), StoreError> {
        let folder = self.home.join("journal");
        for file in journal::files(&folder)?.into_iter().filter(|file| *file < self.state.journal.file) {
            let mut contents = Contents::default();
            journal::read_one(&folder, &self.keys, file, &mut contents)?;
            let frames = contents.frames.iter().map(|(frame, _)| frame);
            if !contents.gaps.is_empty() || !self.may_go(frames, now)? {
                break;
            }
            self.journal.trim_before(file + 1)?;
        }
        Ok(())
    }

    fn may_go<'a>(&self, frames: impl Iterator<Item = &'a Frame>, now: Now) -> Result<bool, StoreError> {
        let wall_ms = u64::try_from(now.wall.0).unwrap_or(0);
        let mut again = None;
        for frame in frames.filter(|frame| !frame.ops.is_empty()) {
            // First, for what is not in the log cannot be asked how old it is.
            if !self.reads_back(frame)? {
                // Of a forked branch: written again, and itself set aside in a file of its own.
                let again: &Names = match &mut again {
                    Some(again) => again,
                    none => none.insert(self.written_again()?),
                };
                if ids(self.replica(), frame).all(|id| again.contains_key(&id)) {
                    continue;
                }
                return Ok(false);
            }
            let info = self.line((self.replica(), frame.epoch))?;
            let last = OpId { replica: self.replica(), epoch: frame.epoch, seq: frame.last() };
            let old = self.read_op(last)?.row.stamp.ms.saturating_add(KEPT_MS) <= wall_ms;
            let elsewhere = info.backed_up >= last.seq || old && info.held >= last.seq;
            if !elsewhere {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn reads_back(&self, frame: &Frame) -> Result<bool, StoreError> {
        for (seq, op) in (frame.first..).zip(&frame.ops) {
            let id = OpId { replica: self.replica(), epoch: frame.epoch, seq };
            let Some(run) = self.run_of(id)? else {
                return Ok(false);
            };
            let Run::Own { ops, .. } = &run.run else {
                return Ok(false);
            };
            let at = run.rows.iter().position(|(known, _)| *known == seq);
            if at.and_then(|at| ops.get(at)) != Some(op) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{NOW, answer, create, home};

    #[test]
    fn a_journal_file_goes_only_when_hq_has_it_for_long_or_twice() {
        let later = Now { wall: records::time::Ts(NOW.wall.0 + 14 * 86_400_000), ..NOW };
        for (now, backed_up_to, left) in [(NOW, 399, 2), (NOW, 400, 1), (later, 0, 1)] {
            let (dir, mut mine) = home();
            let files = || journal::files(&dir.path().join("journal")).unwrap().len();
            while files() < 2 {
                let texts = (0..200).map(|_| create(&crate::keys::random::<4000>().unwrap()));
                mine.save(texts.collect(), NOW).unwrap();
            }
            let segments = mine.unsent(usize::MAX, usize::MAX).unwrap();
            let (mut page, proof) = answer(&segments, vec![], vec![], 1);
            page.ack.held[0].backed_up_to = backed_up_to;
            mine.apply(&page, &proof, now).unwrap();
            assert_eq!(files(), left, "{backed_up_to}");
            if backed_up_to > 0 {
                continue;
            }
            drop(mine);
            Store::rebuild(dir.path(), NOW).unwrap();
            let mine = Store::open(dir.path(), NOW).unwrap();
            let mut documents = 0;
            mine.each(None, &mut |_| {
                documents += 1;
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(documents, 600);
            assert_eq!(mine.doctor().unwrap().faults, []);
        }
    }
}
