//! The lines that ops stand on: where each hangs, up to its root.

use std::collections::{BTreeMap, BTreeSet};

use records::id::{Epoch, OpId, Replica};
use sync_protocol::chain::Line;
use sync_protocol::merge::{Judged, Lines};

use crate::store::error::StoreError;
use crate::store::state::LineInfo;
use crate::store::{LINES_MAX, Store};

impl Store {
    /// Returns where every line that these ops name hangs, up to its root; `changed` lines count first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn lines_of(
        &self,
        ops: &[Judged],
        changed: &BTreeMap<(Replica, Epoch), LineInfo>,
    ) -> Result<Lines, StoreError> {
        let named = |id: &OpId| (id.replica, id.epoch);
        let all: BTreeSet<_> =
            ops.iter().flat_map(|op| op.row.seen.iter().chain([&op.id]).map(named)).collect();
        let mut lines = Lines::new();
        for line in all {
            self.climb(line, changed, &mut lines)?;
        }
        Ok(lines)
    }

    /// Returns where a line and each line above it hang.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ancestors(
        &self,
        line: (Replica, Epoch),
        changed: &BTreeMap<(Replica, Epoch), LineInfo>,
    ) -> Result<Lines, StoreError> {
        let mut lines = Lines::new();
        self.climb(line, changed, &mut lines)?;
        Ok(lines)
    }

    fn climb(
        &self,
        mut line: (Replica, Epoch),
        changed: &BTreeMap<(Replica, Epoch), LineInfo>,
        lines: &mut Lines,
    ) -> Result<(), StoreError> {
        loop {
            let parent = match changed.get(&line) {
                Some(info) => info.parent,
                None => self.line(line)?.parent,
            };
            let Some(parent) = parent else { return Ok(()) };
            if lines.insert(line, (parent.epoch, parent.seq)).is_some() {
                return Ok(());
            }
            line = (line.0, parent.epoch);
        }
    }

    /// Keeps a line's info at hand.
    pub(in crate::store) fn remember(&self, line: Line, info: LineInfo) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() >= LINES_MAX {
            lines.clear();
        }
        lines.insert(line, info);
    }
}
