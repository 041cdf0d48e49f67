//! The drawing itself: bars and months as SVG, with nothing in it that a page may not carry.

use maud::html;
use plotters::prelude::{IntoDrawingArea, IntoFont, PathElement, RGBColor, Rectangle, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, TextStyle};

use crate::figures::MonthSeen;

/// Pixels of a picture's width; a page makes it as wide as it is itself.
const WIDTH: u32 = 760;
/// Pixels for the names at the left.
const NAMES: i32 = 190;
/// Pixels for the totals at the right.
const TOTALS: i32 = 110;
/// Pixels of a bar with the space below it.
const STEP: i32 = 34;
/// Pixels of a bar.
const THICK: i32 = 22;
/// Pixels of a letter.
const LETTER: i32 = 15;
/// Characters of a name that have room.
const NAME_CHARS: usize = 12;

/// The colours of series, told apart by whoever sees no red or no green too.
const COLOURS: [(u8, u8, u8); 8] = [
    (0x0b, 0x3d, 0x5c),
    (0xe6, 0x9f, 0x00),
    (0x00, 0x9e, 0x73),
    (0xd5, 0x5e, 0x00),
    (0x56, 0xb4, 0xe9),
    (0xcc, 0x79, 0xa7),
    (0x5c, 0x6c, 0x77),
    (0xb0, 0xa0, 0x30),
];
/// Days: worked, free, finance closed, mailing due.
const DAYS: [(u8, u8, u8); 4] =
    [(0xe1, 0xef, 0xf8), (0xc9, 0xd1, 0xd6), (0xd5, 0x5e, 0x00), (0x0b, 0x3d, 0x5c)];
const INK: RGBColor = RGBColor(0x10, 0x20, 0x2b);
const LINE: RGBColor = RGBColor(0xb8, 0xc4, 0xcc);

/// One bar.
#[derive(Debug, Clone)]
pub(super) struct Bar<'a> {
    /// What stands at its left.
    pub(super) name: &'a str,
    /// Its pieces, from the left.
    pub(super) pieces: &'a [i64],
    /// What stands at its right.
    pub(super) total: String,
}

/// Returns the colour of a series.
pub(super) fn colour(at: usize) -> (u8, u8, u8) {
    COLOURS.get(at % COLOURS.len()).copied().unwrap_or_default()
}

/// Returns the colour of a kind of day.
pub(super) fn day_colour(at: usize) -> (u8, u8, u8) {
    DAYS.get(at).copied().unwrap_or_default()
}

fn rgb((red, green, blue): (u8, u8, u8)) -> RGBColor {
    RGBColor(red, green, blue)
}

fn style(at: HPos) -> TextStyle<'static> {
    ("sans-serif", LETTER).into_font().color(&INK).pos(Pos::new(at, VPos::Center))
}

/// Returns bars below each other; `None` where the library gives nothing. `label` is what is read out in their place.
pub(super) fn bars(bars: &[Bar<'_>], label: &str) -> Option<String> {
    let width = i32::try_from(WIDTH).ok()?;
    let height = STEP * i32::try_from(bars.len()).ok()? + 8;
    let room = width - NAMES - TOTALS;
    let longest =
        bars.iter().map(|bar| bar.pieces.iter().map(|piece| (*piece).max(0)).sum::<i64>()).max()?.max(1);
    let long = |n: i64| {
        let pixels = i128::from(n.max(0)) * i128::from(room) / i128::from(longest);
        i32::try_from(pixels).unwrap_or(room)
    };
    drawn(height, label, |area| {
        area.draw(&PathElement::new(vec![(NAMES, 2), (NAMES, height - 2)], LINE)).ok()?;
        for (top, bar) in (4..).step_by(usize::try_from(STEP).ok()?).zip(bars) {
            let middle = top + THICK / 2;
            area.draw(&Text::new(cut(bar.name), (NAMES - 10, middle), style(HPos::Right))).ok()?;
            let mut sum = 0_i64;
            for (at, piece) in bar.pieces.iter().enumerate() {
                let from = NAMES + long(sum);
                sum = sum.saturating_add((*piece).max(0));
                let to = NAMES + long(sum);
                if to > from {
                    let filled = rgb(colour(at)).filled();
                    area.draw(&Rectangle::new([(from, top), (to, top + THICK)], filled)).ok()?;
                }
            }
            let end = NAMES + long(sum) + 8;
            area.draw(&Text::new(bar.total.clone(), (end, middle), style(HPos::Left))).ok()?;
        }
        Some(())
    })
}

/// Returns months below each other, a box a day.
pub(super) fn months(months: &[MonthSeen], label: &str) -> Option<String> {
    let (left, side) = (90, 21);
    let height = 34 * i32::try_from(months.len()).ok()? + 8;
    drawn(height, label, |area| {
        for (top, month) in (4..).step_by(34).zip(months) {
            let name = month.month.to_string();
            area.draw(&Text::new(name, (left - 10, top + 13), style(HPos::Right))).ok()?;
            for (x, (day, kind)) in (left..).step_by(21).zip(&month.days) {
                let mailing = month.mailings.iter().any(|(_, due)| due == day);
                let at = match (mailing, month.closed.contains(day), kind.is_working()) {
                    (true, ..) => 3,
                    (_, true, _) => 2,
                    (_, _, false) => 1,
                    _ => 0,
                };
                let filled = rgb(day_colour(at)).filled();
                area.draw(&Rectangle::new([(x, top), (x + side - 2, top + 26)], filled)).ok()?;
                let ink = if at >= 2 { RGBColor(255, 255, 255) } else { INK };
                let (_, _, dom) = day.ymd()?;
                let small =
                    ("sans-serif", 12).into_font().color(&ink).pos(Pos::new(HPos::Center, VPos::Center));
                area.draw(&Text::new(dom.to_string(), (x + side / 2 - 1, top + 13), small)).ok()?;
            }
        }
        Some(())
    })
}

type Area<'a> = plotters::prelude::DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn drawn(height: i32, label: &str, job: impl FnOnce(&Area<'_>) -> Option<()>) -> Option<String> {
    let mut svg = String::new();
    {
        let size = (WIDTH, u32::try_from(height).ok()?);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        job(&area)?;
        area.present().ok()?;
    }
    // The library knows no names for pictures.
    let label = html! { (label) }.into_string();
    Some(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1))
}

/// A name that has no room is cut.
fn cut(name: &str) -> String {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut room = 2 * NAME_CHARS;
    let mut text = String::new();
    for c in name.chars() {
        match room.checked_sub(wide(c)) {
            Some(left) => room = left,
            None => return text + "…",
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_carries_no_style_no_script_and_the_names_as_text() {
        let pieces = [300, 100];
        let hostile = "<script>alert(1)</script>";
        let bar = Bar { name: hostile, pieces: &pieces, total: "4.00".to_owned() };
        let svg = bars(&[bar], "\"a\" & <b>").unwrap();
        assert!(
            svg.starts_with("<svg role=\"img\" aria-label=\"&quot;a&quot; &amp; &lt;b&gt;\" width="),
            "{svg}"
        );
        assert!(!svg.contains("<script") && !svg.contains("style="), "{svg}");
    }

    #[test]
    fn pieces_are_as_long_as_their_numbers() {
        let (long, short) = ([300, 100], [100, 0]);
        let bar = |pieces| Bar { name: "x", pieces, total: String::new() };
        let svg = bars(&[bar(&long), bar(&short)], "").unwrap();
        let widths: Vec<&str> = svg
            .lines()
            .filter(|line| line.starts_with("<rect"))
            .filter_map(|line| line.split("width=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(widths, ["345", "115", "115"]);
    }
}
