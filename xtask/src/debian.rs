//! What the checks need of Debian's packages.

use std::path::Path;

use crate::step::{self, Failed};

/// Installs packages, which takes root; `purpose` is told to whoever has to do it by hand.
///
/// # Errors
/// [`Failed`] where this machine has no `apt-get`, this person is not root, or a package is not to be had.
pub(crate) fn install(tree: &Path, purpose: &str, packages: &[&str]) -> Result<(), Failed> {
    let names = packages.join(" ");
    let install = format!("apt-get install -y -q --no-install-recommends {names}");
    if !step::succeeds(tree, "apt-get --version") || step::output(tree, "id -u")?.trim() != "0" {
        eprintln!("missing for {purpose}: {names}; as root: apt-get update && {install}");
        return Err(Failed);
    }
    println!("missing for {purpose}: {names}");
    step::said(tree, "apt-get update -q")?;
    step::said(tree, &install)
}
