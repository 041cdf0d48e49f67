//! QR symbols: what a camera reads from a paper.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::press::{Press, Spot};

/// Draws the symbol of a text into a square; a text that is too long for one is left out.
///
/// A quarter of it may be dirty or torn.
pub(crate) fn draw(press: &mut Press<'_>, page: usize, at: Spot, side: i32, text: &str) {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Quartile) else {
        return;
    };
    let modules = code.size();
    let module = side / modules;
    let all = (0..modules).flat_map(|y| (0..modules).map(move |x| (x, y)));
    let dark = all.filter(|(x, y)| code.get_module(*x, *y));
    let spots = dark.map(|(x, y)| Spot { x: at.x + x * module, y: at.y + y * module });
    // A hair more than a module: no white lines between them on a screen.
    press.squares(page, spots, module + 4);
}
