//! The Debian packages of both programs, with their manual pages and completions.

use std::path::Path;

use crate::step::{self, Failed, Steps};

/// What `cargo deb` is told for each package: its name, and the program in it.
const PACKAGES: [&str; 2] = ["fieldbook", "fieldbook-hq"];
/// The shells that completions are written for, by the names that the programs know them by.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Builds both programs in `profile` and writes `target/package/*.deb`.
///
/// # Errors
/// [`Failed`] where a step does.
pub(crate) fn run(tree: &Path, profile: &str) -> Result<(), Failed> {
    if !step::succeeds(tree, "cargo deb --version") {
        eprintln!("missing: cargo-deb; install it with: cargo install cargo-deb --locked");
        return Err(Failed);
    }
    let mut steps = Steps::new(tree);
    if profile == "dist" {
        crate::size::build(tree)?;
    }
    for name in PACKAGES {
        if profile != "dist" || name != "fieldbook" {
            let build = format!("cargo build --locked --profile {profile} --package {name} --bin {name}");
            steps.command("build", &[], &build)?;
        }
        steps.own("words", &format!("cargo xtask package {profile}"), |tree| words(tree, profile, name))?;
        let deb = format!("cargo deb --no-build --no-strip --locked --profile {profile} --package {name}");
        steps.command("package", &[], &format!("{deb} --output target/package/{name}.deb"))?;
    }
    steps.summary();
    Ok(())
}

/// Writes what the program says of itself: a page for each command, and completions.
fn words(tree: &Path, profile: &str, name: &str) -> Result<(), Failed> {
    // The folder of the profile `dev` has another name.
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = format!("target/{folder}/{name}");
    let out = format!("target/package/{name}");
    write(tree, &format!("{out}/man"), None)?;
    step::output(tree, &format!("{program} man --out {out}/man"))?;
    for shell in SHELLS {
        let completions = step::output(tree, &format!("{program} completions {shell}"))?;
        write(tree, &out, Some((&format!("{name}.{shell}"), &completions)))?;
    }
    Ok(())
}

/// Makes a folder, and a file in it where one is named.
fn write(tree: &Path, folder: &str, file: Option<(&str, &str)>) -> Result<(), Failed> {
    let folder = tree.join(folder);
    let made = std::fs::create_dir_all(&folder);
    let done =
        made.and_then(|()| file.map_or(Ok(()), |(name, text)| std::fs::write(folder.join(name), text)));
    done.map_err(|error| {
        eprintln!("{}: {error}", folder.display());
        Failed
    })
}

#[cfg(test)]
mod tests {
    /// A package that brought `fieldbook-hq.sysusers` called `systemd-sysusers` when it was configured, and stayed half
    /// configured in a container without systemd: what stands beside the units ends up in the package by its ending.
    #[test]
    fn beside_the_units_nothing_asks_for_systemd_when_a_package_is_configured() {
        let units = crate::tree().join("packaging/systemd");
        for entry in std::fs::read_dir(units).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let unit = name.ends_with(".service") || name.ends_with(".timer");
            assert!(unit || entry.file_type().unwrap().is_dir(), "{name}");
        }
    }

    /// `/etc/default/fieldbook-hq` came with the package and every headquarters has to change it: an upgrade whose own had
    /// changed asked a question, and without a terminal ended half configured.
    #[test]
    fn an_upgrade_asks_nothing() {
        let told = std::fs::read_to_string(crate::tree().join("hq/Cargo.toml")).unwrap();
        assert!(!told.contains("conf-files") && !told.contains("\"etc/"));
    }

    /// A folder of backups that was gone, or another disk mounted there, ended each night's backup with 226/NAMESPACE or a
    /// refused permission.
    #[test]
    fn the_nightly_backup_makes_its_own_folder() {
        let unit = crate::tree().join("packaging/systemd/fieldbook-hq-backup.service");
        let unit = std::fs::read_to_string(unit).unwrap();
        let line = |text: &str| unit.lines().any(|line| line == text);
        assert!(line("ReadWritePaths=-/var/backups/fieldbook-hq"));
        let made = "/usr/bin/install -d -m 0700 -o fieldbook-hq -g fieldbook-hq /var/backups/fieldbook-hq";
        assert!(line(&format!("ExecStartPre=-+{made}")));
        // What a full disk left of one stood there for ever, and each night added to it.
        assert!(unit.contains("rm -f ./*.new*"));
    }
}
