//! One conversation of a device after the other: who comes again hears what HQ kept of all that he sent before.
//!
//! A line that breaks leaves bytes in HQ's socket, and HQ works on them while the device comes again already.
//! Answered at once, it would hear of an end that is about to move, and send again what HQ is just taking in.
//!
//! A line is held only by whoever left a segment with the device's signature, and only while bytes come, so that
//! nobody holds up a device by its name alone.
//!
//! Source: docs/PROTOCOL.md, Bodies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use records::id::Replica;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// The lines on which something is under way.
#[derive(Debug, Default)]
pub struct Lines(Mutex<BTreeMap<Replica, Weak<Turn<()>>>>);

/// A device's line, held; dropped, the next conversation goes on.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Lines {
    /// Waits until no other conversation holds the device's line, and holds it; `None` where that takes too long.
    pub async fn hold(&self, replica: Replica, wait: Duration) -> Option<Held> {
        let turn = self.turn(replica);
        tokio::time::timeout(wait, turn.lock_owned()).await.ok().map(Held)
    }

    /// Holds a device's line where nobody does; `None` where another conversation does.
    pub fn take(&self, replica: Replica) -> Option<Held> {
        self.turn(replica).try_lock_owned().ok().map(Held)
    }

    fn turn(&self, replica: Replica) -> Arc<Turn<()>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than conversations under way.
        lines.retain(|_, turn| turn.strong_count() > 0);
        let known = lines.get(&replica).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::default();
            lines.insert(replica, Arc::downgrade(&turn));
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_one_conversations_until_it_is_let_go_and_each_device_has_its_own() {
        let lines = Lines::default();
        let wait = Duration::ZERO;
        let first = lines.hold(Replica(7), wait).await;
        assert!(first.is_some() && lines.hold(Replica(8), wait).await.is_some());
        assert!(lines.hold(Replica(7), wait).await.is_none() && lines.take(Replica(7)).is_none());
        drop(first);
        assert!(lines.take(Replica(7)).is_some() && lines.hold(Replica(7), wait).await.is_some());
        assert_eq!(lines.0.lock().unwrap().len(), 1, "what nobody holds is forgotten");
    }
}
