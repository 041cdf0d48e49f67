//! What a person sees while something takes long: on standard error, only on a terminal, gone when it ends.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Room;

/// How often the time that went by is shown anew.
const TICK: Duration = Duration::from_millis(200);

/// Something that is under way; its line goes with this value.
pub(super) struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress {
    /// Shows that something is under way, and for how long already.
    pub(super) fn waiting(key: &str, room: &Room) -> Self {
        if room.json || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed_precise}") {
            bar.set_style(style);
        }
        bar.set_message(room.lang.say(key, &[]));
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}
