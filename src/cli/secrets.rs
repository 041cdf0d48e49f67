//! Where secrets come from: the environment, a prompt that shows nothing, or lines of standard input; never an argument.
//!
//! Source: docs/CLI.md, The PIN.

use std::io::{BufRead, Read};

use dialoguer::Password;
use zeroize::Zeroizing;

use crate::cli::Streams;
use crate::cli::desk::Desk;
use crate::cli::fault::{Exit, Fault};
use crate::keys::secret::{PIN_CHARS_MAX, PIN_CHARS_MIN, Pin};

/// Bytes of one line, at most.
const LINE_BYTES_MAX: u64 = 4 * 1024;

/// Returns the PIN that the home has: from the environment, else asked for.
///
/// # Errors
/// A [`Fault`] with [`Exit::Locked`] where nobody gives one.
pub(crate) fn current(desk: &Desk, streams: &mut Streams<'_>) -> Result<Pin, Fault> {
    match (&desk.pin, desk.types) {
        (Some(pin), _) => Ok(pin.clone()),
        (None, true) => asked("ask.pin", desk),
        (None, false) => line(streams)?.ok_or_else(|| Fault::new(Exit::Locked, "error.pin.not_given")),
    }
}

/// Returns the PIN of a home that a command meets locked; standard input is the command's own.
///
/// # Errors
/// A [`Fault`] with [`Exit::Locked`] where nobody gives one.
pub(crate) fn met(desk: &Desk) -> Result<Pin, Fault> {
    match (&desk.pin, desk.types) {
        (Some(pin), _) => Ok(pin.clone()),
        (None, true) => asked("ask.pin", desk),
        (None, false) => Err(Fault::new(Exit::Locked, "error.locked")),
    }
}

/// Returns the PIN that the home is to have: asked for twice on a terminal, else a line of standard input, else, where the
/// environment's PIN was not needed for anything before, that one.
///
/// # Errors
/// W-32 where it is too short or too long, and a [`Fault`] with [`Exit::Locked`] where nobody gives one.
pub(crate) fn new(environment: Option<&Pin>, desk: &Desk, streams: &mut Streams<'_>) -> Result<Pin, Fault> {
    let pin = if desk.types { twice(false, desk)? } else { line(streams)? };
    let none = || Fault::new(Exit::Locked, "error.pin.not_given");
    fitting(pin.or_else(|| environment.cloned()).ok_or_else(none)?)
}

/// Asks for a better PIN on a terminal; an empty answer keeps the one that there is.
///
/// # Errors
/// As [`new`].
pub(crate) fn better(pin: Pin, desk: &Desk) -> Result<Pin, Fault> {
    match if desk.types { twice(true, desk)? } else { None } {
        Some(better) => fitting(better),
        None => Ok(pin),
    }
}

fn fitting(pin: Pin) -> Result<Pin, Fault> {
    if (PIN_CHARS_MIN..=PIN_CHARS_MAX).contains(&pin.chars()) {
        return Ok(pin);
    }
    let fault = Fault::new(Exit::Refused, "rule.W-32").rule("W-32");
    Err(fault.with("min", &PIN_CHARS_MIN).with("max", &PIN_CHARS_MAX))
}

fn asked(key: &str, desk: &Desk) -> Result<Pin, Fault> {
    // Without the line that a prompt leaves behind it: it says `[hidden]` in every language.
    let typed = Password::new().with_prompt(desk.lang.say(key, &[])).report(false).interact();
    Ok(Pin::typed(&Zeroizing::new(typed.map_err(gone)?)))
}

fn twice(may_be_empty: bool, desk: &Desk) -> Result<Option<Pin>, Fault> {
    let say = |key: &str| desk.lang.say(key, &[]);
    let first = if may_be_empty { "ask.pin.better" } else { "ask.pin.new" };
    let typed = Password::new()
        .with_prompt(say(first))
        .report(false)
        .with_confirmation(say("ask.pin.again"), say("ask.pin.differ"))
        .allow_empty_password(may_be_empty)
        .interact();
    let typed = Zeroizing::new(typed.map_err(gone)?);
    Ok((!typed.is_empty()).then(|| Pin::typed(&typed)))
}

/// Reads the next line; `None` where there is none, or it is empty.
fn line(streams: &mut Streams<'_>) -> Result<Option<Pin>, Fault> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    let read = (&mut *streams.input).take(LINE_BYTES_MAX).read_line(&mut text);
    // What is no text is no PIN; how it reads is nobody's business.
    read.map_err(|_| Fault::new(Exit::Locked, "error.pin.not_given"))?;
    let pin = Pin::typed(&text);
    Ok((pin.chars() > 0).then_some(pin))
}

fn gone(_: dialoguer::Error) -> Fault {
    Fault::new(Exit::Locked, "error.pin.not_given")
}
