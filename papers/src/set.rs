//! Blocks onto pages: what follows what, where a page ends, and what is repeated on the next.

use crate::block::{Block, Head, Leaf, Picture, Signing, Table};
use crate::lines::broken;
use crate::press::{Look, MM, PAGE_HEIGHT, PAGE_WIDTH, Press, Spot};
use crate::symbol;
use crate::words::Lang;

const LEFT: i32 = 15 * MM;
const WIDTH: i32 = PAGE_WIDTH - 2 * LEFT;
const TOP: i32 = 14 * MM;
const BOTTOM: i32 = PAGE_HEIGHT - 16 * MM;
const FOOT: i32 = PAGE_HEIGHT - 9 * MM;

const BODY: Look = Look { size: 900, bold: false };
const STRONG: Look = Look { size: 900, bold: true };
const SMALL: Look = Look { size: 750, bold: false };
const HEADING: Look = Look { size: 1_100, bold: true };
const TITLE: Look = Look { size: 1_700, bold: true };

/// From one line of the body to the next, and how far below the upper edge of its row a line stands.
const LEADING: i32 = 1_250;
const DROP: i32 = 950;

/// The room around the text of a cell.
const PAD: i32 = 250;
const GAP: i32 = 700;

const SYMBOL: i32 = 24 * MM;
const BOXES_IN_ROW: i32 = 3;
/// Vouchers are pasted like tiles on a roof, so a place is lower than a voucher.
const PLACE_HEIGHT_MIN: i32 = 12 * MM;
const PLACE_HEIGHT_MAX: i32 = 60 * MM;
const PICTURE_WIDTH: i32 = 60 * MM;
const PICTURE_HEIGHT: i32 = 25 * MM;

/// Of a value in half a row; a longer one gets a row of its own.
const FACT_LINES_MAX: usize = 3;

/// A cell whose text is broken into lines.
#[derive(Debug, Clone)]
struct Cell {
    x: i32,
    width: i32,
    lines: Vec<String>,
    look: Look,
    right: bool,
}

/// Sets papers, one below the other.
pub(crate) struct Setter<'p, 't> {
    press: &'p mut Press<'t>,
    lang: Lang,
    page: usize,
    y: i32,
}

impl<'p, 't> Setter<'p, 't> {
    /// Sets one paper on pages of its own.
    pub(crate) fn set(press: &'p mut Press<'t>, leaf: Leaf, lang: Lang) {
        let first = press.page();
        let mut setter = Self { press, lang, page: first, y: TOP };
        for block in leaf.blocks {
            setter.block(block);
        }
        setter.feet(first, &leaf.foot);
    }

    fn block(&mut self, block: Block) {
        match block {
            Block::Head(head) => self.head(&head),
            Block::Facts(facts) => self.facts(&facts),
            Block::Heading(text) => self.heading(&text),
            Block::Text(text) => self.text(&text),
            Block::Table(table) => self.table(&table),
            Block::Signatures(boxes) => self.signatures(&boxes),
            Block::Picture(picture) => self.picture(picture),
            Block::Places(places) => self.places(&places),
            Block::NextPage => self.next_page(),
        }
    }

    fn next_page(&mut self) {
        self.page = self.press.page();
        self.y = TOP;
    }

    /// Begins a page unless there is so much room on this one.
    fn need(&mut self, height: i32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.next_page();
        }
    }

    fn feet(&mut self, first: usize, foot: &str) {
        let pages = self.page + 1 - first;
        for n in 0..pages {
            let count = self.lang.page(n + 1, pages);
            let x = LEFT + WIDTH - self.press.faces.width(&count, SMALL.size);
            self.press.text(first + n, Spot { x, y: FOOT }, SMALL, &count);
            self.press.text(first + n, Spot { x: LEFT, y: FOOT }, SMALL, foot);
        }
    }

    fn head(&mut self, head: &Head) {
        let side = if head.symbol.is_empty() { 0 } else { SYMBOL };
        let (top, room) = (self.y, WIDTH - 2 * side);
        if side > 0 {
            let at = Spot { x: LEFT + WIDTH - side, y: top };
            symbol::draw(self.press, self.page, at, side, &head.symbol);
        }
        for line in broken(self.press.faces, &head.title, room, TITLE.size) {
            self.y += TITLE.size + 600;
            self.centred(&line, TITLE);
        }
        self.y += 300;
        for line in head.lines.iter().flat_map(|line| broken(self.press.faces, line, room, BODY.size)) {
            self.y += LEADING;
            self.centred(&line, BODY);
        }
        self.y = self.y.max(top + side) + GAP;
    }

    fn centred(&mut self, line: &str, look: Look) {
        let x = LEFT + (WIDTH - self.press.faces.width(line, look.size)) / 2;
        self.press.text(self.page, Spot { x, y: self.y }, look, line);
    }

    fn heading(&mut self, text: &str) {
        // A heading stays with the first rows of what it is the heading of.
        self.need(8 * LEADING);
        self.y += LEADING + 200;
        self.press.text(self.page, Spot { x: LEFT, y: self.y }, HEADING, text);
        self.y += 500;
    }

    fn text(&mut self, text: &str) {
        for line in broken(self.press.faces, text, WIDTH, BODY.size) {
            self.need(LEADING);
            self.press.text(self.page, Spot { x: LEFT, y: self.y + DROP }, BODY, &line);
            self.y += LEADING;
        }
        self.y += GAP / 2;
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let (label, half) = (WIDTH * 15 / 100, WIDTH / 2);
        let mut waiting: Vec<Cell> = Vec::new();
        for (name, value) in facts {
            let long = self.lines(value, half - label).len() > FACT_LINES_MAX;
            let x = LEFT + if waiting.is_empty() || long { 0 } else { half };
            if long && !waiting.is_empty() {
                self.half_row(&mut waiting);
            }
            let width = if long { WIDTH } else { half } - label;
            waiting.push(self.cell(name, (x, label), STRONG, false));
            waiting.push(self.cell(value, (x + label, width), BODY, false));
            if long || x > LEFT {
                self.row(&waiting, &[]);
                waiting.clear();
            }
        }
        if !waiting.is_empty() {
            self.half_row(&mut waiting);
        }
        self.y += GAP;
    }

    /// Sets a row whose right half is empty.
    fn half_row(&mut self, waiting: &mut Vec<Cell>) {
        waiting.push(self.cell("", (LEFT + WIDTH / 2, WIDTH / 2), BODY, false));
        self.row(waiting, &[]);
        waiting.clear();
    }

    fn table(&mut self, table: &Table) {
        let shares: i32 = table.columns.iter().map(|column| column.share).sum();
        let mut x = LEFT;
        let mut columns = Vec::new();
        for column in &table.columns {
            let width = WIDTH * column.share / shares.max(1);
            columns.push((x, width, column.right));
            x += width;
        }
        let cells = |setter: &Self, row: &[String], look: Look| -> Vec<Cell> {
            let both = columns.iter().zip(row);
            both.map(|((x, width, right), text)| setter.cell(text, (*x, *width), look, *right)).collect()
        };
        let heads: Vec<String> = table.columns.iter().map(|column| column.head.clone()).collect();
        let heads = cells(self, &heads, STRONG);
        self.need(height(&heads) + 2 * LEADING);
        self.row(&heads, &[]);
        for row in &table.rows {
            let row = cells(self, row, BODY);
            self.row(&row, &heads);
        }
        for row in &table.sums {
            let row = cells(self, row, STRONG);
            self.row(&row, &heads);
        }
        self.y += GAP;
    }

    /// Sets a row; one that is higher than a page goes on over pages, below `heads` again.
    fn row(&mut self, cells: &[Cell], heads: &[Cell]) {
        let mut rest = cells.to_vec();
        let mut fresh = false;
        loop {
            let tallest = tallest(&rest);
            let room = lines_in(BOTTOM - self.y);
            let on_a_page = lines_in(BOTTOM - TOP - height(heads));
            if tallest > room && !fresh && (tallest <= on_a_page || room < 3) {
                self.next_row_page(heads);
                fresh = true;
                continue;
            }
            // A page without room for a single line would never end.
            let taken = tallest.min(room.max(1));
            let later: Vec<Cell> = rest.iter_mut().map(|cell| cell.split(taken)).collect();
            self.draw(&rest, taken);
            if tallest == taken {
                return;
            }
            rest = later;
            self.next_row_page(heads);
            fresh = true;
        }
    }

    fn next_row_page(&mut self, heads: &[Cell]) {
        self.next_page();
        if !heads.is_empty() {
            self.draw(heads, tallest(heads));
        }
    }

    fn draw(&mut self, cells: &[Cell], lines: i32) {
        let height = lines * LEADING + 2 * PAD;
        for cell in cells {
            self.press.frame(self.page, Spot { x: cell.x, y: self.y }, cell.width, height);
            for (line, n) in cell.lines.iter().zip(0..) {
                let width = self.press.faces.width(line, cell.look.size);
                let x = if cell.right { cell.x + cell.width - PAD - width } else { cell.x + PAD };
                let y = self.y + PAD + n * LEADING + DROP;
                self.press.text(self.page, Spot { x, y }, cell.look, line);
            }
        }
        self.y += height;
    }

    fn cell(&self, text: &str, (x, width): (i32, i32), look: Look, right: bool) -> Cell {
        Cell { x, width, lines: self.lines(text, width), look, right }
    }

    fn lines(&self, text: &str, width: i32) -> Vec<String> {
        broken(self.press.faces, text, width - 2 * PAD, BODY.size)
    }

    fn signatures(&mut self, boxes: &[Signing]) {
        let width = WIDTH / BOXES_IN_ROW;
        let in_row = usize::try_from(BOXES_IN_ROW).unwrap_or(1);
        for row in boxes.chunks(in_row) {
            let mut cells = Vec::new();
            for (signing, x) in row.iter().zip((LEFT..).step_by(usize::try_from(width).unwrap_or(1))) {
                let mut cell = self.cell(&signing.title, (x, width), BODY, false);
                cell.lines.extend(signing.lines.iter().flat_map(|line| self.lines(line, width)));
                cells.push((cell, self.lines(&signing.foot, width)));
            }
            // Two empty lines to sign on.
            let above = cells.iter().map(|(cell, _)| cell.lines.len()).max().unwrap_or(0) + 2;
            let cells: Vec<Cell> = cells
                .into_iter()
                .map(|(mut cell, foot)| {
                    cell.lines.resize(above, String::new());
                    cell.lines.extend(foot);
                    cell
                })
                .collect();
            self.need(height(&cells));
            self.row(&cells, &[]);
        }
        self.y += GAP;
    }

    fn picture(&mut self, picture: Picture) {
        let (width, height) = fitted(picture.width, picture.height);
        self.need(height + LEADING + GAP);
        self.press.text(self.page, Spot { x: LEFT, y: self.y + DROP }, STRONG, &picture.label);
        self.y += LEADING + 200;
        self.press.picture(self.page, Spot { x: LEFT, y: self.y }, width, height, picture);
        self.y += height + GAP;
    }

    fn places(&mut self, places: &[String]) {
        let columns = BOXES_IN_ROW;
        let n = i32::try_from(places.len()).unwrap_or(i32::MAX);
        let rows = (n + columns - 1) / columns;
        if rows == 0 {
            return;
        }
        self.need(rows.saturating_mul(PLACE_HEIGHT_MIN));
        let (width, height) = (WIDTH / columns, ((BOTTOM - self.y) / rows).min(PLACE_HEIGHT_MAX));
        for (place, n) in places.iter().zip(0..) {
            let at = Spot { x: LEFT + n % columns * width, y: self.y + n / columns * height };
            self.press.frame(self.page, at, width, height);
            for (line, n) in broken(self.press.faces, place, width - 2 * PAD, SMALL.size).iter().zip(0..) {
                let at = Spot { x: at.x + PAD, y: at.y + PAD + DROP + n * LEADING };
                self.press.text(self.page, at, SMALL, line);
            }
        }
        self.y += rows * height + GAP;
    }
}

impl Cell {
    /// Leaves the first lines and returns the cell with the others.
    fn split(&mut self, lines: i32) -> Self {
        let lines = usize::try_from(lines).unwrap_or(0).min(self.lines.len());
        let rest = self.lines.split_off(lines);
        Self { lines: rest, ..self.clone() }
    }
}

fn tallest(cells: &[Cell]) -> i32 {
    let lines = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
    i32::try_from(lines).unwrap_or(i32::MAX / LEADING / 2)
}

fn height(cells: &[Cell]) -> i32 {
    if cells.is_empty() { 0 } else { tallest(cells) * LEADING + 2 * PAD }
}

fn lines_in(height: i32) -> i32 {
    (height - 2 * PAD) / LEADING
}

/// Returns the size in which a picture fits into its box, its sides in proportion.
fn fitted(width: u32, height: u32) -> (i32, i32) {
    let (w, h) = (i64::from(width.max(1)), i64::from(height.max(1)));
    let (box_w, box_h) = (i64::from(PICTURE_WIDTH), i64::from(PICTURE_HEIGHT));
    let (fit_w, fit_h) = if w * box_h > h * box_w { (box_w, box_w * h / w) } else { (box_h * w / h, box_h) };
    (i32::try_from(fit_w).unwrap_or(PICTURE_WIDTH), i32::try_from(fit_h).unwrap_or(PICTURE_HEIGHT))
}
