//! The headquarters of one version later, for the tests of evolution.

fn main() -> std::process::ExitCode {
    fieldbook_hq::cli::run(&std::env::args_os().collect::<Vec<_>>()).into()
}
