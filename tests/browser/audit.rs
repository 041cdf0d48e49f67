//! What must hold on every page, whoever looks at it: found by measuring the page as it stands in the browser.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

use crate::page::{self, Page};

/// A page without its photos, over the wire, with an empty cache.
const BYTES_MAX: u64 = 150_000;

/// Whose page it is: a device is used with gloves and in the sun, a desk is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Device,
    Office,
}

/// Gloves: every target is at least 48 px each way, what the page is there for 56 px high; all text has 18 px.
const GLOVES: &str = r#"(() => {
    const faults = [];
    const name = (e) => e.outerHTML.slice(0, 120);
    const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const boxed = (e) => e.matches('input[type=checkbox], input[type=radio], input[type=file]');
    for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, label, [role=button]')) {
        if (!seen(e)) continue;
        if (e.matches('label') && !(e.control && boxed(e.control))) continue;
        if (boxed(e) && e.labels.length) continue;
        // A link of text with a picture in it is as large as both.
        const all = [e, ...e.children].map((part) => part.getBoundingClientRect());
        const right = Math.max(...all.map((part) => part.right)), bottom = Math.max(...all.map((part) => part.bottom));
        const left = Math.min(...all.map((part) => part.left)), top = Math.min(...all.map((part) => part.top));
        const r = { right, width: right - left, height: bottom - top };
        // Out of sight until the keyboard reaches it.
        if (r.right < 0) continue;
        if (r.width < 47.5 || r.height < 47.5) faults.push(`target ${Math.round(r.width)}x${Math.round(r.height)}: ${name(e)}`);
        else if (e.matches('button.first') && r.height < 55.5) faults.push(`primary target ${Math.round(r.height)} high: ${name(e)}`);
    }
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = words.nextNode(); node; node = words.nextNode()) {
        const e = node.parentElement;
        if (!node.data.trim() || e.closest('script, style, svg, noscript') || !seen(e)) continue;
        const size = parseFloat(getComputedStyle(e).fontSize);
        if (size < 18) faults.push(`text of ${size}px: ${name(e)}`);
    }
    return faults;
})()"#;

const SIDEWAYS: &str = r#"(() => {
    const wide = document.documentElement.scrollWidth, width = WIDTH;
    if (wide <= width) return [];
    const out = (e) => e.getBoundingClientRect().right > width + 1 && !e.closest('nav, .scroll');
    const widest = [...document.body.querySelectorAll('*')].filter((e) => out(e) && ![...e.children].some(out));
    return [`scrolls sideways: ${wide} px in ${width}: ` + widest.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(' | ')];
})()"#;

const AXE: &str = r"axe.run(document, { resultTypes: ['violations'] }).then((found) =>
    found.violations.map((v) => `axe ${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')))";

/// Returns what is wrong with the page as it was loaded and as it stands, one sentence each.
#[track_caller]
pub(crate) fn faults(page: &mut Page, face: Face) -> Vec<String> {
    // A picture that is not there yet has no size.
    page.eval("for (const picture of document.images) picture.loading = 'eager'");
    page.wait("[...document.images].every((picture) => picture.complete)");
    let mut faults: Vec<String> =
        page.load.complaints.drain(..).map(|said| format!("console: {said}")).collect();
    let bytes = page.load.bytes;
    if bytes > BYTES_MAX {
        faults.push(format!("{bytes} bytes without photos; at most {BYTES_MAX}"));
    }
    let width = page.width.to_string();
    faults.extend(sentences(&page.eval(&SIDEWAYS.replace("WIDTH", &width))));
    if face == Face::Device {
        faults.extend(sentences(&page.eval(GLOVES)));
    }
    faults
}

/// Returns the rules of accessibility that the page breaks, one sentence each.
#[track_caller]
pub(crate) fn rules(page: &mut Page) -> Vec<String> {
    sentences(&page.eval_aside(axe(), AXE))
}

fn sentences(found: &Value) -> Vec<String> {
    let found = found.as_array().expect("a list of faults");
    found.iter().map(|fault| fault.as_str().expect("a sentence").to_owned()).collect()
}

/// Returns the accessibility rules, read once.
#[track_caller]
fn axe() -> &'static str {
    static READ: OnceLock<String> = OnceLock::new();
    READ.get_or_init(|| {
        let file: PathBuf = page::target().join("axe/node_modules/axe-core/axe.min.js");
        std::fs::read_to_string(&file).unwrap_or_else(|_missing| {
            panic!("no axe-core in {}; `cargo xtask test` fetches it", file.display())
        })
    })
}

const FAULTY: &str = "data:text/html;charset=utf-8,<html><title>x</title><meta name='viewport' content='width=device-width'><body style='margin:0'>\
    <script>console.error('a red line')</script><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>\
    <button style='width:30px;height:30px'>a</button><p style='font-size:12px'>small</p>\
    <div style='width:500px;height:1px'></div></body></html>";

#[test]
fn a_page_with_every_fault_is_told_each_of_them() {
    let mut page = Page::new(page::PHONE, "en");
    page.go(FAULTY);
    let mut found = faults(&mut page, Face::Device);
    found.extend(rules(&mut page));
    let found = found.join("\n");
    for expected in [
        "a red line",
        "scrolls sideways: 500",
        "target 30x30",
        "text of 12px",
        "axe html-has-lang",
        "axe image-alt",
    ] {
        assert!(found.contains(expected), "no {expected:?} in:\n{found}");
    }
}
