//! QR symbols as pictures in a page: what a device's camera reads from a screen.

use std::fmt::Write;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// Modules of white around a symbol, as the standard asks.
const QUIET: i32 = 4;

/// Returns the symbol of a text as an SVG; `None` where the text is too long for one.
///
/// `label` is what is read out in its place. A tenth of it may be hidden by a reflection: a code is long, and larger modules are read from further away.
#[must_use]
pub fn draw(text: &str, label: &str) -> Option<Markup> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let side = code.size() + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing into a text has no way to fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Some(html! {
        svg.symbol role="img" aria-label=(label) viewBox={ "0 0 " (side) " " (side) } shape-rendering="crispEdges" {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_has_its_quiet_zone_and_a_name() {
        let drawn = draw("fieldbook", "enrolment \"code\"").unwrap().into_string();
        assert!(drawn.contains("viewBox=\"0 0 29 29\""), "{drawn}");
        assert!(
            drawn.contains("aria-label=\"enrolment &quot;code&quot;\"") && drawn.contains("M4 4h1v1h-1z")
        );
        assert!(!drawn.contains("style="));
    }

    #[test]
    fn what_is_too_long_has_no_symbol() {
        assert!(draw(&"x".repeat(4_000), "").is_none());
    }
}
