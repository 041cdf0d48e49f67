//! Receipts drawn, photographed twice, and compared.

use super::*;
use crate::picture::Picture;
use jpeg_encoder::{ColorType, Encoder};

/// Bits by which the standard policy lets two photos of one paper differ.
const NEAR: u32 = 6;

/// A grey picture.
#[derive(Clone)]
struct Canvas {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Canvas {
    fn fill(&mut self, x: usize, y: usize, (width, height): (usize, usize), grey: u8) {
        for row in y..(y + height).min(self.height) {
            for column in x..(x + width).min(self.width) {
                self.bytes[row * self.width + column] = grey;
            }
        }
    }

    /// Returns the pixel at a place given in 1/1024 pixels, between its four neighbours; beyond the edge the edge.
    fn at(&self, x: i64, y: i64) -> i64 {
        let side = |at: i64, length: usize| at.clamp(0, (i64::try_from(length).unwrap() - 1) * 1024 - 1);
        let (x, y) = (side(x, self.width), side(y, self.height));
        let pixel = |column: i64, row: i64| {
            i64::from(
                self.bytes[usize::try_from(row).unwrap() * self.width + usize::try_from(column).unwrap()],
            )
        };
        let (column, row, right, down) = (x / 1024, y / 1024, x % 1024, y % 1024);
        let upper = pixel(column, row) * (1024 - right) + pixel(column + 1, row) * right;
        let lower = pixel(column, row + 1) * (1024 - right) + pixel(column + 1, row + 1) * right;
        (upper * (1024 - down) + lower * down) / (1024 * 1024)
    }

    /// Returns the picture turned about its middle by one degree, `turn` ±1.
    fn turned(&self, turn: i64) -> Self {
        // 1°: cosine 0.99985, sine 0.01745, in 1/1024.
        let (cosine, sine) = (1024, 18 * turn);
        let middle = |length: usize| i64::try_from(length / 2).unwrap();
        let (x0, y0) = (middle(self.width), middle(self.height));
        self.each(self.width, self.height, |x, y| {
            let (right, down) = (x - x0, y - y0);
            self.at(x0 * 1024 + right * cosine - down * sine, y0 * 1024 + right * sine + down * cosine)
        })
    }

    /// Returns the picture at 7/10 of its size.
    fn smaller(&self) -> Self {
        let (width, height) = (self.width * 7 / 10, self.height * 7 / 10);
        self.each(width, height, |x, y| self.at(x * 10240 / 7, y * 10240 / 7))
    }

    /// Returns the picture with more light.
    fn brighter(&self) -> Self {
        self.each(self.width, self.height, |x, y| self.at(x * 1024, y * 1024) * 11 / 10 + 8)
    }

    fn each(&self, width: usize, height: usize, pixel: impl Fn(i64, i64) -> i64) -> Self {
        let sides = |length: usize| 0..i64::try_from(length).unwrap();
        let place = sides(height).flat_map(|y| sides(width).map(move |x| (x, y)));
        let bytes = place.map(|(x, y)| u8::try_from(pixel(x, y).clamp(0, 255)).unwrap()).collect();
        Self { width, height, bytes }
    }

    fn picture(&self) -> Picture {
        let pixels = Pixels { width: self.width, height: self.height, depth: 1, bytes: self.bytes.clone() };
        Picture { full: (self.width, self.height), pixels, plain: true }
    }

    fn look(&self, quality: u8) -> PictureHash {
        let mut file = Vec::new();
        let side = |n: usize| u16::try_from(n).unwrap();
        let encoder = Encoder::new(&mut file, quality);
        encoder.encode(&self.bytes, side(self.width), side(self.height), ColorType::Luma).unwrap();
        Picture::read(&file).unwrap().look().unwrap()
    }
}

/// Numbers that look thrown.
struct Thrown(u64);

impl Thrown {
    fn below(&mut self, n: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n).unwrap()
    }
}

/// Draws a till receipt on a table: a shop's head, lines of words with a sum each, a total.
fn receipt(seed: u64) -> Canvas {
    let (width, height) = (420, 640);
    let mut thrown = Thrown(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut canvas = Canvas { width, height, bytes: vec![70; width * height] };
    let (left, top, right) = (30 + thrown.below(40), 20 + thrown.below(40), 350 + thrown.below(40));
    canvas.fill(left, top, (right - left, 540), 226);
    let head = 70 + thrown.below(170);
    canvas.fill(left + 20 + thrown.below(60), top + 16, (head, 26 + thrown.below(14)), 45);
    let mut y = top + 70;
    for _ in 0..5 + thrown.below(15) {
        words(&mut canvas, &mut thrown, (left + 12, y), 40);
        let sum = 20 + thrown.below(30);
        canvas.fill(right - 16 - sum, y, (sum, 11), 70);
        y += 20;
    }
    canvas.fill(left + 12, y + 4, (right - left - 24, 2), 60);
    canvas.fill(right - 110, y + 14, (94, 18), 40);
    canvas
}

fn words(canvas: &mut Canvas, thrown: &mut Thrown, (left, y): (usize, usize), least: usize) {
    let end = left + least + thrown.below(150);
    let mut x = left;
    while x < end {
        let letter = 4 + thrown.below(5);
        canvas.fill(x, y, (letter, 9 + thrown.below(4)), 60);
        x += letter + 2 + thrown.below(4);
    }
}

#[test]
fn a_receipt_photographed_again_is_found() {
    let mut found = 0;
    for seed in 1..=6 {
        let paper = receipt(seed);
        let first = paper.look(90);
        assert!(first.distance(paper.brighter().look(90)) <= NEAR, "brighter {seed}");
        assert!(first.distance(paper.smaller().look(90)) <= NEAR, "smaller {seed}");
        assert!(first.distance(paper.look(35)) <= NEAR, "pressed {seed}");
        for turn in [1, -1] {
            let again = paper.turned(turn).brighter().smaller().look(60);
            found += u32::from(first.distance(again) <= NEAR);
        }
    }
    assert!(found >= 10, "turned by a degree, brighter, smaller and pressed at once: {found} of 12");
}

#[test]
fn two_receipts_of_one_look_are_rare() {
    let looks: Vec<PictureHash> = (1..=50).map(|seed| receipt(seed).picture().look().unwrap()).collect();
    let pairs = looks.iter().enumerate().flat_map(|(n, a)| looks.iter().take(n).map(|b| a.distance(*b)));
    let (near, all) = pairs.fold((0, 0), |(near, all), bits| (near + u32::from(bits <= NEAR), all + 1));
    assert!(near * 50 <= all, "{near} of {all}");
}

#[test]
fn colour_turn_of_the_camera_and_format_change_nothing_that_counts() {
    let paper = receipt(7);
    let picture = |depth: usize, bytes: Vec<u8>| {
        let pixels = Pixels { width: paper.width, height: paper.height, depth, bytes };
        Picture { full: (paper.width, paper.height), pixels, plain: true }
    };
    let grey = picture(1, paper.bytes.clone()).look().unwrap();
    let warm: Vec<u8> = paper.bytes.iter().flat_map(|light| [*light, *light, light - light / 8]).collect();
    assert!(grey.distance(picture(3, warm).look().unwrap()) <= 2);
    assert_eq!(picture(1, vec![200; paper.bytes.len()]).look(), None, "an empty sheet looks like nothing");
    let none = Pixels { width: 0, height: 0, depth: 1, bytes: Vec::new() };
    assert_eq!(Picture { pixels: none, full: (0, 0), plain: true }.look(), None);
}

#[test]
fn the_waves_are_those_of_the_cosine_transform() {
    // A wave that goes up and down once across: only the second of the row is strong.
    let wave: Vec<i64> = (0..32).map(|at| cosine(2 * at + 1)).collect();
    let strong = transform(&wave);
    assert!(strong[1] > 16 * 16384 * 16000, "{strong:?}");
    assert!(strong.iter().enumerate().all(|(n, one)| n == 1 || one.abs() < strong[1] / 1000), "{strong:?}");
    assert_eq!([cosine(0), cosine(32), cosine(64), cosine(96), cosine(128)], [16384, 0, -16384, 0, 16384]);
}
