//! What is wrong with a command line, as a sentence in the reader's language; the sentences are the device's.

use clap::error::{ContextKind, Error, ErrorKind};
use records::money::FenError;
use records::policy::cycle::CycleError;
use records::time::TimeError;

use crate::cli::answer::Fault;

/// Returns the fault behind an error of the arguments' parser.
pub(super) fn fault(error: &Error) -> Fault {
    let text = |kind: ContextKind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let given = text(ContextKind::InvalidValue);
    let allowed = text(ContextKind::ValidValue);
    let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .into_iter()
        .map(text)
        .find(|text| !text.is_empty());
    let key = match (error.kind(), similar.is_some()) {
        (ErrorKind::UnknownArgument, false) => "error.usage.unknown_argument",
        (ErrorKind::UnknownArgument, true) => "error.usage.unknown_argument.similar",
        (ErrorKind::InvalidSubcommand, false) => "error.usage.unknown_command",
        (ErrorKind::InvalidSubcommand, true) => "error.usage.unknown_command.similar",
        (ErrorKind::InvalidValue, _) if given.is_empty() => "error.usage.value_missing",
        (ErrorKind::InvalidValue, true) => "error.usage.not_allowed.similar",
        (ErrorKind::InvalidValue, false) if !allowed.is_empty() => "error.usage.not_allowed",
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, _) => written(error),
        (ErrorKind::MissingRequiredArgument, _) => "error.usage.missing",
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            "error.usage.no_command"
        }
        (ErrorKind::ArgumentConflict, _) => "error.usage.conflict",
        _ => "error.usage.other",
    };
    Fault::usage(key)
        .with("argument", text(ContextKind::InvalidArg))
        .with("value", given)
        .with("allowed", allowed)
        .with("command", text(ContextKind::InvalidSubcommand))
        .with("other", text(ContextKind::PriorArg))
        .with("similar", similar.unwrap_or_default())
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
