//! What is wrong with a command line, as a sentence in the reader's language.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::cli::fault::{Exit, Fault};

/// Returns the fault behind an error of the arguments' parser.
pub(crate) fn fault(error: &Error) -> Fault {
    let text = |kind: ContextKind| error.get(kind).map(value).unwrap_or_default();
    let argument = text(ContextKind::InvalidArg);
    let given = text(ContextKind::InvalidValue);
    let allowed = text(ContextKind::ValidValue);
    let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .into_iter()
        .map(text)
        .find(|text| !text.is_empty());
    let key = match error.kind() {
        ErrorKind::UnknownArgument => "error.usage.unknown_argument",
        ErrorKind::InvalidSubcommand => "error.usage.unknown_command",
        ErrorKind::InvalidValue if given.is_empty() => "error.usage.value_missing",
        ErrorKind::InvalidValue if !allowed.is_empty() => "error.usage.not_allowed",
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => "error.usage.bad_value",
        ErrorKind::MissingRequiredArgument => "error.usage.missing",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "error.usage.no_command"
        }
        ErrorKind::ArgumentConflict => "error.usage.conflict",
        _ => "error.usage.other",
    };
    let mut fault = Fault::new(Exit::Usage, key)
        .with("argument", &argument)
        .with("value", &given)
        .with("allowed", &allowed)
        .with("command", &text(ContextKind::InvalidSubcommand))
        .with("other", &text(ContextKind::PriorArg));
    if let Some(similar) = similar {
        fault.key.push_str(".similar");
        fault = fault.with("similar", &similar);
    }
    // Only three kinds of slips have a neighbour to suggest.
    if crate::cli::lang::Lang::En.try_say(&fault.key).is_none() {
        key.clone_into(&mut fault.key);
    }
    fault
}

fn value(value: &ContextValue) -> String {
    value.to_string()
}
