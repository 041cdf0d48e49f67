//! Questions on a terminal, from the schema table: a label, a list where the field has one, the last answer at hand.
//!
//! Asked only where somebody is there to answer; what a script leaves out is refused instead.

use dialoguer::{Input, Select};
use records::schema::{Field, Kind};
use records::value::Type;

use crate::cli::desk::Desk;
use crate::cli::fault::{Exit, Fault};
use crate::notebook::pair::{Pair, value};
use crate::store::Store;

/// Asks for those of the fields that no pair names yet, and adds the answers to the pairs.
///
/// An empty answer leaves a field out. The answers to choices are remembered for the next time.
///
/// # Errors
/// A [`Fault`] where the terminal went away.
pub(crate) fn fill(
    store: &mut Store,
    kind: &'static Kind,
    names: &[&str],
    pairs: &mut Vec<Pair>,
    desk: &Desk,
) -> Result<(), Fault> {
    for name in names {
        if pairs.iter().any(|pair| pair.name == *name) {
            continue;
        }
        let Some((group, at)) = kind.field(name) else {
            continue;
        };
        let Some(field) = group.fields.get(at) else {
            continue;
        };
        let answer = match field.ty {
            Type::Choice(list) => {
                let label = desk.lang.label(field.zh, field.en);
                choose_again(store, &format!("{}.{name}", kind.name), label, list.options, desk)?
            }
            _ => ask(field, store, desk)?,
        };
        if !answer.is_empty() {
            pairs.push(Pair::new(*name, answer));
        }
    }
    Ok(())
}

/// Asks for one of a list, the last answer to `question` first at hand, and remembers the answer for the next time.
///
/// # Errors
/// A [`Fault`] where the terminal went away.
pub(crate) fn choose_again(
    store: &mut Store,
    question: &str,
    label: &str,
    options: &[(&str, &'static str, &'static str)],
    desk: &Desk,
) -> Result<String, Fault> {
    let setting = format!("last.{question}");
    let last = store.setting(&setting).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
    let answer = choose(label, options, last.as_deref(), desk)?;
    if last.as_deref() != Some(answer.as_str()) {
        // A lost memory of the last answer harms nobody.
        let _ = store.put_setting(&setting, answer.clone().into_bytes());
    }
    Ok(answer)
}

/// Asks for one of a list and returns its identifier.
///
/// # Errors
/// A [`Fault`] where the terminal went away.
pub(crate) fn choose(
    label: &str,
    options: &[(&str, &'static str, &'static str)],
    last: Option<&str>,
    desk: &Desk,
) -> Result<String, Fault> {
    let lang = desk.lang.of_labels();
    let items = options.iter().map(|(word, zh, en)| format!("{} ({word})", lang.pick(zh, en)));
    let default = options.iter().position(|(word, ..)| Some(*word) == last).unwrap_or(0);
    let chosen = Select::new().with_prompt(label).items(items).default(default).interact().map_err(gone)?;
    Ok(options.get(chosen).map_or_else(String::new, |(word, ..)| (*word).to_owned()))
}

/// Asks for a text that may not be empty.
///
/// # Errors
/// A [`Fault`] where the terminal went away.
pub(crate) fn text(label: &str) -> Result<String, Fault> {
    Input::new().with_prompt(label).interact_text().map_err(gone)
}

/// Asks until the answer fits the field; the empty one does.
fn ask(field: &Field, store: &Store, desk: &Desk) -> Result<String, Fault> {
    let zone = store.identity().enrolment.zone;
    let label = desk.lang.label(field.zh, field.en);
    let now = desk.clock.now().wall;
    let default = match field.ty {
        Type::Ts => now.minute(zone),
        Type::Day => now.day(zone).to_string(),
        _ => String::new(),
    };
    Input::<String>::new()
        .with_prompt(label)
        .default(default.clone())
        .show_default(!default.is_empty())
        .allow_empty(true)
        .validate_with(|typed: &String| match value(field, typed, zone) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                Err(Fault::from(crate::notebook::refusal::NotebookError::from(refusal)).sentence(desk.lang))
            }
        })
        .interact_text()
        .map_err(gone)
}

fn gone(_: dialoguer::Error) -> Fault {
    Fault::new(Exit::Usage, "error.terminal")
}
