//! The help of every command and argument, in the reader's language, from the table of sentences.

use clap::{Command, CommandFactory};

use crate::cli::args::Cli;
use crate::cli::lang::Lang;

/// Arguments that every command has.
const EVERYWHERE: [&str; 6] = ["home", "json", "lang", "now", "help", "version"];

/// Returns the command line with its help in that language.
pub(crate) fn command(lang: Lang) -> Command {
    let subcommands = lang.say("text.help.commands", &[]);
    in_language(Cli::command().subcommand_help_heading(subcommands), lang, "help")
}

fn in_language(command: Command, lang: Lang, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let template =
        format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}\n", lang.say("text.help.usage", &[]));
    let mut command = command
        .about(lang.say(path, &[]))
        .help_template(template)
        .subcommand_help_heading(lang.say("text.help.commands", &[]))
        .mut_args(|arg| {
            let name = arg.get_id().to_string();
            let takes_values = arg.get_action().takes_values();
            let heading = if arg.is_positional() { "text.help.arguments" } else { "text.help.options" };
            let key = if EVERYWHERE.contains(&name.as_str()) {
                format!("help.option.{name}")
            } else {
                format!("{path}.{name}")
            };
            arg.help(lang.say(&key, &[]))
                .help_heading(lang.say(heading, &[]))
                .hide_possible_values(takes_values)
        });
    for name in names {
        let below = format!("{path}.{name}");
        command = command.mut_subcommand(name, |sub| in_language(sub, lang, &below));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, path: &str, found: &mut Vec<String>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        if about == path {
            found.push(about);
        }
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            if help.starts_with("help.") {
                found.push(help);
            }
        }
        for sub in command.get_subcommands() {
            missing(sub, &format!("{path}.{}", sub.get_name()), found);
        }
    }

    #[test]
    fn every_command_and_argument_has_its_help_in_each_language() {
        for lang in Lang::ALL {
            let mut found = Vec::new();
            missing(&command(lang), "help", &mut found);
            assert!(found.is_empty(), "{}: no help for {found:#?}", lang.id());
        }
    }

    #[test]
    fn the_command_line_hangs_together() {
        command(Lang::En).debug_assert();
    }
}
