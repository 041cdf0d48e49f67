//! The agent's process: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    fieldbook::cli::process::main()
}
