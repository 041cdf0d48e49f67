//! What is wrong with a command line, as a sentence in the reader's language.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use records::money::FenError;
use records::policy::cycle::CycleError;
use records::time::TimeError;

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
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => written(error),
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

/// Returns the sentence that says how the value is written, where one of our types refused it.
fn written(error: &Error) -> &'static str {
    let Some(reason) = std::error::Error::source(error) else {
        return "error.usage.bad_value";
    };
    match (reason.downcast_ref::<FenError>(), reason.downcast_ref::<CycleError>()) {
        (Some(FenError::NotANumber), _) => "error.usage.bad_amount",
        (Some(FenError::TooFine), _) => "error.usage.bad_amount_fine",
        (Some(FenError::TooLarge), _) => "error.usage.bad_amount_large",
        (None, Some(CycleError::NotAMonth | CycleError::NotAHalf)) => "error.usage.bad_month",
        (None, Some(CycleError::NotACycle)) => "error.usage.bad_batch",
        (None, None) if reason.is::<TimeError>() => "error.usage.bad_day",
        (None, None) => "error.usage.bad_value",
    }
}
