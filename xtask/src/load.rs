//! Many simulated devices at one headquarters, and the page that says how far one goes.
//!
//! Source: docs/SCALING.md.

use std::path::Path;

use crate::bench::report;
use crate::step::{Failed, Steps};

/// The page, from the workspace's folder.
const PAGE: &str = "docs/SCALING.md";

/// Builds headquarters and the crowd, lets one loose on the other, and writes the page's tables; with `devices` it is
/// as many of them, and the page stays as it is.
///
/// # Errors
/// [`Failed`] where a program fails, and where anything that was acknowledged is not there at the end.
pub(crate) fn run(tree: &Path, devices: Option<&str>) -> Result<(), Failed> {
    let mut steps = Steps::new(tree);
    let build = "cargo build --locked --release --package fieldbook-hq --bin fieldbook-hq --example load";
    steps.command("build", &[], build)?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let mut text = String::new();
    let command = [&format!("{target}/release/examples/load"), devices.unwrap_or_default()].join(" ");
    steps.heard("load", &[], command.trim_end(), |line| text += &format!("{line}\n"))?;
    steps.summary();
    if devices.is_some() {
        return Ok(());
    }
    let text = format!("{}\n\n{text}", report::machine(tree)?);
    report::write_into(&tree.join(PAGE), "load", &text)
}
