//! The headquarters' process: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    fieldbook_hq::cli::run(&std::env::args_os().collect::<Vec<_>>()).into()
}
