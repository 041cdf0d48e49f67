//! What a person sees while something takes long: on standard error, only on a terminal, gone when it ends.

use std::io::Read;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

use crate::cli::desk::Desk;

/// How often the time that went by is shown anew.
const TICK: Duration = Duration::from_millis(200);

/// Something that is under way; its line goes with this value.
pub(crate) struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress {
    /// Shows that something is under way, and for how long already.
    pub(crate) fn waiting(key: &str, desk: &Desk) -> Self {
        let bar = bar(0, "{spinner} {msg} {elapsed_precise}", desk);
        bar.set_message(desk.lang.say(key, &[]));
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Shows how much of a file was read; `bytes` is its length.
    pub(crate) fn of_file(key: &str, bytes: u64, desk: &Desk) -> Self {
        let bar = bar(bytes, "{bar:30} {percent}% {msg}", desk);
        bar.set_message(desk.lang.say(key, &[]));
        Self(bar)
    }

    /// Shows a number out of another one, and what [`Progress::show`] says.
    pub(crate) fn counting(desk: &Desk) -> Self {
        Self(bar(0, "{bar:30} {pos}/{len} {msg}", desk))
    }

    /// Shows so many of so many.
    pub(crate) fn show(&self, done: u64, all: u64, message: String) {
        self.0.set_length(all);
        self.0.set_position(done);
        self.0.set_message(message);
    }

    /// Counts what is read.
    pub(crate) fn read<R: Read>(&self, file: R) -> ProgressBarIter<R> {
        self.0.wrap_read(file)
    }
}

fn bar(length: u64, template: &str, desk: &Desk) -> ProgressBar {
    if !desk.shows_progress {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    let coloured = template.replace("{bar:30}", "{bar:30.cyan}");
    if let Ok(style) = ProgressStyle::with_template(if desk.style.colour { &coloured } else { template }) {
        bar.set_style(style);
    }
    bar
}
