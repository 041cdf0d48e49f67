//! What a simulator decides instead of the machine: random bytes, room on the disk, the size of a journal file.
//!
//! Only a build with the feature `simulated` holds this, and there only a thread that said so is touched.

use std::cell::Cell;

/// Fills bytes.
pub type Source = fn(&mut [u8]);

thread_local! {
    static SOURCE: Cell<Option<Source>> = const { Cell::new(None) };
    static FREE_BYTES: Cell<Option<u64>> = const { Cell::new(None) };
    static JOURNAL_FILE_BYTES: Cell<Option<u64>> = const { Cell::new(None) };
    static STOPS_AT_DAMAGE: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread draw random bytes from `source`; `None`: from the system.
pub fn draw_from(source: Option<Source>) {
    SOURCE.set(source);
}

/// Lets this thread believe that so much of the disk is free; `None`: it asks.
pub fn set_free_bytes(free: Option<u64>) {
    FREE_BYTES.set(free);
}

/// Lets this thread begin a new journal file after so many bytes; `None`: as it is written.
pub fn set_journal_file_bytes(bytes: Option<u64>) {
    JOURNAL_FILE_BYTES.set(bytes);
}

/// Lets this thread read a journal up to the first damage only, as one that does not resynchronise would.
pub fn set_stops_at_damage(stops: bool) {
    STOPS_AT_DAMAGE.set(stops);
}

/// Fills the bytes where this thread has a source, and returns whether it has one.
pub(crate) fn draw(out: &mut [u8]) -> bool {
    let source = SOURCE.get();
    if let Some(source) = source {
        source(out);
    }
    source.is_some()
}

pub(crate) fn free_bytes() -> Option<u64> {
    FREE_BYTES.get()
}

pub(crate) fn journal_file_bytes() -> Option<u64> {
    JOURNAL_FILE_BYTES.get()
}

pub(crate) fn stops_at_damage() -> bool {
    STOPS_AT_DAMAGE.get()
}
