//! Random bytes that a simulator draws from its seed, so that a run can be told again.
//!
//! Only a build with the feature `simulated` holds this, and there only a thread that was given a source.

use std::cell::Cell;

/// Fills bytes.
pub type Source = fn(&mut [u8]);

thread_local! {
    static SOURCE: Cell<Option<Source>> = const { Cell::new(None) };
}

/// Lets this thread draw from `source` instead of the system's generator; `None` ends that.
pub fn draw_from(source: Option<Source>) {
    SOURCE.set(source);
}

/// Fills the bytes where this thread has a source, and returns whether it has one.
pub(super) fn draw(out: &mut [u8]) -> bool {
    let source = SOURCE.get();
    if let Some(source) = source {
        source(out);
    }
    source.is_some()
}
