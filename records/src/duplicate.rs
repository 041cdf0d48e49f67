//! By which key two vouchers are the same paper, and by which look two photos show the same one.

use crate::id::DocId;
use crate::invoice::{Invoice, duplicate_key};
use crate::kinds::voucher::{Amount, Dated, InvoiceNo, Look, PaperKind, Seller, VoucherKind};
use crate::record::Record;
use crate::value::{Digest, Text};

/// The key of a voucher's paper.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `D:`, `T:` or `V:` and the invoice's own numbers: unique over the company for ever.
    Strong(String),
    /// `W:` and owner, day, amount, seller: two that are alike are only warned about.
    Weak(String),
}

/// Returns whether a key's text is a strong one.
#[must_use]
pub fn is_strong(key: &str) -> bool {
    !key.is_empty() && !key.starts_with("W:")
}

/// Returns the key of a voucher that `owner` (its field's, else its author) spent; `None` where too little stands on it.
///
/// The QR text speaks first, then typed numbers, then the weak key.
///
/// Source: docs/RULES.md, Invoice QR.
#[must_use]
pub fn key(voucher: &Record, owner: &DocId) -> Option<Key> {
    let numbers = voucher.get::<InvoiceNo>().unwrap_or_default();
    if let Some(invoice) = numbers.qr_raw.and_then(|text| Invoice::parse(&text.0).ok()) {
        return Some(Key::Strong(invoice.duplicate_key()));
    }
    let kind = voucher.get::<PaperKind>().and_then(|group| group.kind);
    let code = numbers.inv_code.map(|code| code.0).unwrap_or_default();
    let ticket = matches!(kind, Some(VoucherKind::TRAIN | VoucherKind::AIR));
    // Eight digits are unique only together with a code; a ticket's number is of its own.
    let whole = |number: &Text<20>| ticket || !code.is_empty() || number.0.len() == 20;
    if let Some(number) = numbers.inv_no.filter(whole) {
        return Some(Key::Strong(duplicate_key(kind, &code, &number.0)));
    }
    let date = voucher.get::<Dated>()?.date?;
    let amount = voucher.get::<Amount>()?.amount?.0;
    let seller = voucher.get::<Seller>().and_then(|group| group.seller).unwrap_or_default();
    Some(Key::Weak(format!("W:{owner}:{date}:{amount}:{}", seller.0)))
}

/// What a photo of a voucher looks like, in 64 bits: alike photos differ in few of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureHash(pub u64);

/// Bits by which a policy may let two photos of one paper differ: beyond, most papers look alike.
pub const NEAR_BITS_MAX: u8 = 11;

/// Parts that a look is cut into, so that near ones are found without reading all.
const BANDS: u8 = 4;

impl PictureHash {
    /// Returns what stands on a voucher as its photo's look; `None` without a photo.
    #[must_use]
    pub fn of(voucher: &Record) -> Option<Self> {
        let digest = voucher.get::<Look>()?.phash?;
        Some(Self(u64::from_be_bytes(digest.0.try_into().ok()?)))
    }

    /// Returns it as it stands on a voucher: 8 bytes, the first bit first.
    #[must_use]
    pub fn digest(self) -> Digest {
        Digest(self.0.to_be_bytes().to_vec())
    }

    /// Returns in how many bits two looks differ, 0 to 64.
    ///
    /// ```
    /// use records::duplicate::PictureHash;
    /// assert_eq!(PictureHash(0b1100).distance(PictureHash(0b1010)), 2);
    /// ```
    #[must_use]
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// Returns the parts under which an index lists this look: number and 16 bits.
    #[must_use]
    pub fn bands(self) -> Vec<(u8, u16)> {
        let bytes = self.0.to_be_bytes();
        let parts = bytes.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
        (0..BANDS).zip(parts).collect()
    }

    /// Returns the parts under which every look is listed that differs in at most `bits` bits: this look's parts, and
    /// those that differ from them in a quarter of the bits. Of looks that differ more, some are listed there too.
    ///
    /// `bits` beyond [`NEAR_BITS_MAX`] count as that: then these are 548 parts, else at most 68 up to 7 bits.
    #[must_use]
    pub fn near_bands(self, bits: u8) -> Vec<(u8, u16)> {
        // Spread over four parts, at least one part has no more than a quarter of the differing bits.
        let each = bits.min(NEAR_BITS_MAX) / BANDS;
        let bands = self.bands().into_iter();
        bands.flat_map(|(band, part)| near(part, each).into_iter().map(move |part| (band, part))).collect()
    }
}

/// Returns every 16 bits that differ from `part` in at most `bits`, 0 to 2.
fn near(part: u16, bits: u8) -> Vec<u16> {
    let one = || (0..16).map(|bit| part ^ (1 << bit));
    let two = || (0..16).flat_map(move |high| (0..high).map(move |low| part ^ (1 << high) ^ (1 << low)));
    let mut all = vec![part];
    if bits >= 1 {
        all.extend(one());
    }
    if bits >= 2 {
        all.extend(two());
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kinds::voucher::VOUCHER;
    use crate::money::Fen;
    use crate::time::Day;

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    fn check(numbers: InvoiceNo, expected: Option<&Key>) {
        let voucher = Record::new("7.1.1".parse().unwrap(), &VOUCHER).with(&[numbers]);
        assert_eq!(key(&voucher, &"0.1.5".parse().unwrap()).as_ref(), expected);
    }

    #[test]
    fn a_scanned_and_a_typed_invoice_have_one_key() {
        let scanned = InvoiceNo {
            qr_raw: text("01,10,011001900311,21010038,300,20200407,01731581649436515692,53F1,"),
            ..InvoiceNo::default()
        };
        let typed =
            InvoiceNo { inv_code: text("011001900311"), inv_no: text("21010038"), ..InvoiceNo::default() };
        let expected = Key::Strong("V:011001900311:21010038".into());
        check(scanned, Some(&expected));
        check(typed.clone(), Some(&expected));
        let half = InvoiceNo { inv_code: None, ..typed };
        check(half, None);
    }

    #[test]
    fn a_ticket_without_numbers_has_a_weak_key() {
        let voucher = Record::new("7.1.1".parse().unwrap(), &VOUCHER)
            .with(&[Dated { date: Some(Day(20_779)) }])
            .with(&[Amount { amount: Some(Fen(3500)), ..Amount::default() }]);
        let expected = Key::Weak("W:0.1.5:2026-11-22:3500:".into());
        assert_eq!(key(&voucher, &"0.1.5".parse().unwrap()), Some(expected));
    }

    #[test]
    fn a_look_stands_on_a_voucher_in_eight_bytes() {
        let look = PictureHash(0x0123_4567_89ab_cdef);
        let voucher =
            |phash| Record::new("7.1.1".parse().unwrap(), &VOUCHER).with(&[Look { phash: Some(phash) }]);
        assert_eq!(PictureHash::of(&voucher(look.digest())), Some(look));
        assert_eq!(PictureHash::of(&voucher(Digest(vec![1; 9]))), None, "no look of another width");
    }

    #[test]
    fn so_many_parts_are_looked_at() {
        let n = |bits| PictureHash(7).near_bands(bits).len();
        assert_eq!([0, 3, 4, 6, 7, 8, 11, 64].map(n), [4, 4, 68, 68, 68, 548, 548, 548]);
    }

    proptest! {
        #[test]
        fn every_near_look_is_found_by_its_parts(
            look: u64,
            flips in prop::collection::btree_set(0..64_u32, 0..=usize::from(NEAR_BITS_MAX)),
        ) {
            let (look, other) = (PictureHash(look), PictureHash(flips.iter().fold(look, |bits, bit| bits ^ (1 << bit))));
            let bits = u8::try_from(flips.len()).unwrap();
            prop_assert_eq!(look.distance(other), u32::from(bits));
            let asked = look.near_bands(bits);
            prop_assert!(other.bands().iter().any(|band| asked.contains(band)));
        }
    }
}
