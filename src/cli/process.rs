//! The process around the command line: arguments, environment and terminals as they are, and nothing unexpected unsaid.

use std::io::{BufReader, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use crate::cli::fault::{Exit, Fault};
use crate::cli::{Invocation, Streams};
use crate::keys::secret::{Pin, VARIABLE};

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    static WHERE: Mutex<String> = Mutex::new(String::new());
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        *WHERE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == crate::store::probe::WORD) {
        let read = args.next().map(|folder| crate::store::probe::read_all(std::path::Path::new(&folder)));
        return ExitCode::from(u8::from(!matches!(read, Some(Ok(())))));
    }
    if let Ok(program) = std::env::current_exe() {
        crate::store::probe::by(program);
    }
    let invocation = Invocation {
        args: std::env::args_os().collect(),
        env: std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .filter(|(name, _)| name != VARIABLE)
            .collect(),
        pin: pin(),
        stdin_terminal: std::io::stdin().is_terminal(),
        stdout_terminal: std::io::stdout().is_terminal(),
        stderr_terminal: std::io::stderr().is_terminal(),
        columns: console::Term::stdout().size_checked().map(|(_, columns)| columns),
    };
    // None is locked here: a prompt reads standard input by itself, a spinner writes from a thread of its own, and
    // either would wait for ever.
    let mut input = BufReader::new(std::io::stdin());
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let mut streams = Streams { input: &mut input, out: &mut out, err: &mut err };
    let exit = catch_unwind(AssertUnwindSafe(|| crate::cli::run(&invocation, &mut streams)));
    let code = exit.unwrap_or_else(|_| {
        let place = WHERE.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = Fault::new(Exit::Damaged, "error.panic").with("what", &place);
        crate::cli::tell(&fault, &invocation, &mut streams)
    });
    // A reader that has gone away wants no more of the answer.
    let _ = out.flush();
    ExitCode::from(code)
}

/// Takes the PIN out of the environment once; an empty one is none.
fn pin() -> Option<Pin> {
    let given = zeroize::Zeroizing::new(std::env::var(VARIABLE).ok()?);
    (!given.is_empty()).then(|| Pin::typed(&given))
}
