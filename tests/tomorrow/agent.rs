//! The agent of one version later, for the tests of evolution.

fn main() -> std::process::ExitCode {
    fieldbook::cli::process::main()
}
