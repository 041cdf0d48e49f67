//! The help of every command and argument, in the reader's language, from the table of sentences.

use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::cli::answer::Lang;

/// Arguments that mean the same wherever they stand.
const EVERYWHERE: [&str; 21] = [
    "data",
    "database",
    "json",
    "lang",
    "now",
    "help",
    "version",
    "id",
    "as",
    "for",
    "limit",
    "acks",
    "claim",
    "claims",
    "payment",
    "case",
    "alert",
    "exception",
    "reason",
    "state",
    "vouchers",
];

/// Returns the command line with its help in that language.
pub(super) fn command(lang: Lang) -> Command {
    in_language(Cli::command(), lang, "hq.help")
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
                format!("hq.help.option.{name}")
            } else {
                format!("{path}.{name}")
            };
            arg.help(lang.say(&key, &[]))
                .help_heading(lang.say(heading, &[]))
                .hide_possible_values(takes_values)
        });
    for name in names {
        let below = match name.as_str() {
            // Every kind of master data is imported in the same way.
            "import" => "hq.help.import".to_owned(),
            // Both programs explain the policy, in the same words.
            "policy" => "help.policy".to_owned(),
            _ => format!("{path}.{name}"),
        };
        command = command.mut_subcommand(name, |sub| in_language(sub, lang, &below));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, found: &mut Vec<String>) {
        let helps = command.get_arguments().filter_map(clap::Arg::get_help).chain(command.get_about());
        let bare = |help: &String| help.starts_with("hq.help") || help.starts_with("help.");
        found.extend(helps.map(ToString::to_string).filter(bare));
        command.get_subcommands().for_each(|sub| missing(sub, found));
    }

    #[test]
    fn every_command_and_argument_has_its_help_in_each_language() {
        for name in ["zh-CN", "zh-TW", "en"] {
            let mut found = Vec::new();
            missing(&command(Lang::chosen(Some(name))), &mut found);
            assert!(found.is_empty(), "{name}: no help for {found:#?}");
        }
    }

    #[test]
    fn the_command_line_hangs_together() {
        command(Lang::chosen(Some("en"))).debug_assert();
    }
}
