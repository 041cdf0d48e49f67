//! What the tests in a real browser need: Chromium, a font with Chinese characters, and the rules of axe-core.

use std::path::Path;

use crate::debian;
use crate::step::{self, Failed};

/// Any of these is taken as it is; `tests/browser` looks for the same names.
const CHROMIUMS: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// The shell without windows of its own: two thirds of the whole browser's size, and the quicker to start.
const CHROMIUM_PACKAGE: &str = "chromium-headless-shell";
/// 7 MB; without it each Chinese character is a box, as wide as another.
const FONT_PACKAGE: &str = "fonts-wqy-zenhei";

/// Where `tests/browser` reads axe-core, below the tree.
const AXE: &str = "target/axe/node_modules/axe-core";
/// Pinned: a new rule is met when somebody moves this line, not on the day that it is published.
const AXE_VERSION: &str = "4.14.1";

/// Installs what is missing.
///
/// # Errors
/// [`Failed`] when something stays missing; the tests would say nothing without it.
pub(crate) fn install(tree: &Path) -> Result<(), Failed> {
    if cfg!(not(unix)) {
        println!(
            "the tests in a browser speak to it over descriptors 3 and 4, which this system does not have"
        );
        return Ok(());
    }
    let mut packages = Vec::new();
    if !CHROMIUMS.iter().any(|name| step::succeeds(tree, &format!("{name} --version"))) {
        packages.push(CHROMIUM_PACKAGE);
    }
    if !has_chinese_font(tree) {
        packages.push(FONT_PACKAGE);
    }
    let pinned = format!("\"version\": \"{AXE_VERSION}\"");
    let axe_is_here = std::fs::read_to_string(tree.join(AXE).join("package.json"))
        .is_ok_and(|manifest| manifest.contains(&pinned));
    if !axe_is_here && !step::succeeds(tree, "npm --version") {
        packages.push("npm");
    }
    if !packages.is_empty() {
        debian::install(tree, "the tests in a browser", &packages)?;
    }
    if axe_is_here {
        return Ok(());
    }
    let fetch = format!(
        "npm install --prefix target/axe --no-save --no-audit --no-fund --ignore-scripts axe-core@{AXE_VERSION}"
    );
    step::said(tree, &fetch)
}

fn has_chinese_font(tree: &Path) -> bool {
    step::output(tree, "fc-list :lang=zh-cn family").is_ok_and(|families| !families.trim().is_empty())
}
