//! The programs of one version later: built with the tables of the feature `tomorrow`, under names of their own.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::world;

/// Returns one of them, built once for this run beside today's; only what differs by the feature is compiled anew.
pub(crate) fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let today = Path::new(env!("CARGO_BIN_EXE_fieldbook"));
    let folder = today.parent().expect("a program lies in a folder");
    BUILT.get_or_init(|| {
        let mut cargo = world::cargo(folder);
        cargo.args(["-p", "fieldbook", "-p", "fieldbook-hq", "--features", "tomorrow"]);
        cargo.args(["--bin", "fieldbook-tomorrow", "--bin", "fieldbook-hq-tomorrow"]);
        assert!(cargo.status().expect("cargo runs").success(), "the programs of tomorrow do not build");
    });
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
