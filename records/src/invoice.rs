//! The text in the QR code of a Chinese invoice: read, checked and compared, all offline.

use crate::kinds::voucher::VoucherKind;
use crate::money::Fen;
use crate::time::Day;

/// Whether the amount in the QR text is with or without tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tax {
    /// Tax included: the sum that was paid.
    Included,
    /// Before tax: less than the sum that was paid.
    Excluded,
    /// A kind that this table does not know.
    Unknown,
}

/// One kind of invoice by its two digits.
#[derive(Debug, PartialEq, Eq)]
pub struct InvoiceKind {
    /// The two digits.
    pub digits: &'static str,
    /// What paper it is.
    pub voucher: VoucherKind,
    /// What its amount means.
    pub tax: Tax,
}

/// The kinds as data; other digits are taken and stay unknown.
///
/// Source: docs/RULES.md, Invoice QR.
pub static KINDS: &[InvoiceKind] = &[
    kind("01", VoucherKind::VAT_SPECIAL, Tax::Excluded),
    kind("04", VoucherKind::VAT_NORMAL, Tax::Excluded),
    kind("10", VoucherKind::E_VAT, Tax::Excluded),
    kind("31", VoucherKind::DIGITAL_SPECIAL, Tax::Included),
    kind("32", VoucherKind::DIGITAL_NORMAL, Tax::Included),
    kind("51", VoucherKind::TRAIN, Tax::Included),
];

const fn kind(digits: &'static str, voucher: VoucherKind, tax: Tax) -> InvoiceKind {
    InvoiceKind { digits, voucher, tax }
}

/// What an invoice's QR text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Two digits, see [`KINDS`].
    pub kind: String,
    /// 10 or 12 digits; empty for digital invoices.
    pub code: String,
    /// 8 digits, 20 for digital invoices.
    pub number: String,
    /// In fen; whether with tax says [`Invoice::tax`].
    pub amount: Fen,
    /// The day of issue.
    pub date: Day,
    /// 20 digits, or empty.
    pub check_code: String,
    /// What the checksum says.
    pub checksum: Checksum,
}

/// What the checksum at the end of the text says. A miss is a notice, never a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// There is none.
    Absent,
    /// It matches: strong evidence against a slip.
    Match,
    /// It does not match.
    Miss,
}

/// Why a text is not an invoice's QR text.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum InvoiceError {
    /// Not 01, a kind and at least five more parts with commas between.
    #[error("an invoice QR text begins 01, and has at least 7 parts with commas between")]
    Shape,
    /// The code is not empty, 10 or 12 digits.
    #[error("the invoice code is not 10 or 12 digits")]
    Code,
    /// The number is not 8 or 20 digits.
    #[error("the invoice number is not 8 or 20 digits")]
    Number,
    /// The amount is not one.
    #[error("the amount cannot be read")]
    Amount,
    /// The day does not exist.
    #[error("the date is not YYYYMMDD")]
    Date,
    /// The check code is neither empty nor 20 digits: the text was cut short.
    #[error("the check code is not 20 digits")]
    CheckCode,
}

impl InvoiceError {
    /// Returns the part of the text that does not fit: `shape`, `code`, `number`, `amount`, `date`, `check_code`.
    #[must_use]
    pub const fn part(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Code => "code",
            Self::Number => "number",
            Self::Amount => "amount",
            Self::Date => "date",
            Self::CheckCode => "check_code",
        }
    }
}

/// CRC-16 with polynomial 0x8005, begun with 0, not reflected; 0xFEE8 over `123456789`.
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_UMTS);

/// Bytes of a text that may be an invoice's; they have some 100.
pub const QR_BYTES_MAX: usize = 300;

impl Invoice {
    /// Reads `01,<kind>,<code>,<number>,<amount>,<YYYYMMDD>,<check code>,<crc4>[,]`.
    ///
    /// # Errors
    /// [`InvoiceError`]; a wrong or missing checksum is none.
    ///
    /// ```
    /// use records::invoice::{Checksum, Invoice};
    /// let text = "01,32,,25152000009858579102,56.00,20250302,,D263";
    /// let invoice = Invoice::parse(text)?;
    /// assert_eq!((invoice.amount.0, invoice.checksum), (5600, Checksum::Match));
    /// assert_eq!(invoice.duplicate_key(), "D:25152000009858579102");
    /// # Ok::<(), records::invoice::InvoiceError>(())
    /// ```
    ///
    /// Source: docs/RULES.md, Invoice QR.
    pub fn parse(text: &str) -> Result<Self, InvoiceError> {
        let text = text.trim();
        if text.len() > QR_BYTES_MAX {
            return Err(InvoiceError::Shape);
        }
        let mut parts = text.split(',').map(str::trim);
        let mut next = || parts.next().ok_or(InvoiceError::Shape);
        let (first, kind, code, number) = (next()?, next()?, next()?, next()?);
        let (amount, date, check_code) = (next()?, next()?, next()?);
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if first != "01" || kind.len() != 2 || !digits(kind) {
            return Err(InvoiceError::Shape);
        }
        if !matches!(code.len(), 0 | 10 | 12) || !digits(code) {
            return Err(InvoiceError::Code);
        }
        if !matches!(number.len(), 8 | 20) || !digits(number) || code.is_empty() && number.len() == 8 {
            return Err(InvoiceError::Number);
        }
        let amount = amount.parse().map_err(|_| InvoiceError::Amount)?;
        let date = day(date).ok_or(InvoiceError::Date)?;
        if !matches!(check_code.len(), 0 | 20) || !digits(check_code) {
            return Err(InvoiceError::CheckCode);
        }
        Ok(Self {
            kind: kind.to_owned(),
            code: code.to_owned(),
            number: number.to_owned(),
            amount,
            date,
            check_code: check_code.to_owned(),
            checksum: checksum(text),
        })
    }

    /// Returns the line of its kind in the table.
    #[must_use]
    pub fn known(&self) -> Option<&'static InvoiceKind> {
        KINDS.iter().find(|kind| kind.digits == self.kind)
    }

    /// Returns what the amount means.
    #[must_use]
    pub fn tax(&self) -> Tax {
        self.known().map_or(Tax::Unknown, |kind| kind.tax)
    }

    /// Returns the key that no two claims may share: the number of a digital invoice or e-ticket, else code and number.
    ///
    /// Source: docs/RULES.md, Invoice QR.
    #[must_use]
    pub fn duplicate_key(&self) -> String {
        duplicate_key(self.known().map(|kind| kind.voucher), &self.code, &self.number)
    }

    /// Returns whether a claimed sum (and its tax, where typed) can be this invoice's.
    ///
    /// Without tax in the text, the sum may only be larger; with the tax known, both must add up.
    #[must_use]
    pub fn agrees_with(&self, claimed: Fen, tax: Option<Fen>) -> bool {
        match (self.tax(), tax) {
            (Tax::Included, _) => claimed == self.amount,
            (Tax::Excluded, Some(tax)) => claimed.0.checked_sub(tax.0) == Some(self.amount.0),
            (Tax::Excluded, None) => claimed >= self.amount,
            (Tax::Unknown, _) => true,
        }
    }
}

/// Returns the strong duplicate key of an invoice: `T:` for tickets, `D:` for digital invoices, `V:` for the rest.
#[must_use]
pub fn duplicate_key(kind: Option<VoucherKind>, code: &str, number: &str) -> String {
    match (kind, code) {
        (Some(VoucherKind::TRAIN | VoucherKind::AIR), _) => format!("T:{number}"),
        (_, "") => format!("D:{number}"),
        _ => format!("V:{code}:{number}"),
    }
}

fn day(text: &str) -> Option<Day> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from, to| text.get(from..to)?.parse::<u32>().ok();
    Day::from_ymd(i32::try_from(part(0, 4)?).ok()?, part(4, 6)?, part(6, 8)?)
}

/// Some issuers compute it over the comma before it too, some do not: either is a match.
fn checksum(text: &str) -> Checksum {
    let end = text.trim_end_matches([',', ' ']);
    let Some((body, last)) = end.rsplit_once(',') else {
        return Checksum::Absent;
    };
    // The checksum is the eighth part; a text of seven has none.
    if body.matches(',').count() < 6 || last.is_empty() {
        return Checksum::Absent;
    }
    let Ok(found) = u16::from_str_radix(last.trim(), 16) else {
        return Checksum::Miss;
    };
    let with_comma = end.get(..=body.len()).unwrap_or(body);
    match [body, with_comma].iter().any(|covered| CRC.checksum(covered.as_bytes()) == found) {
        true => Checksum::Match,
        false => Checksum::Miss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts found in public code, some altered by those who published them.
    const FOUND: [(&str, Checksum); 16] = [
        ("01,10,011001605111,80100798,64.9,20161018,85342965681116380258", Checksum::Absent),
        ("01,01,1200154130,03630024,94339.62,20160621,,9335,", Checksum::Match),
        ("01,04,4200161350,00015045,165106.00,20160501,48114255542168294433,DBFE,", Checksum::Match),
        ("01,10,013002200211,81532753,217.62,20230323,49753264642977383169,0816,", Checksum::Miss),
        ("01,10,050003523456,29342181,104.72,20180613,02418567008427471889,1774,", Checksum::Match),
        ("01,10,011001900311,21010038,300,20200407,01731581649436515692,53F1,", Checksum::Match),
        ("01,10,011001900311,26105568,356.60,20190602,69609999443421834136,C348", Checksum::Match),
        ("01,10,011001900311,86771359,244.50,20191015,09410951332856553793,483C,", Checksum::Match),
        ("01,10,044002100611,52573933,200.75,20221004,11969205383964570811,F5F6", Checksum::Miss),
        ("01,10,044001500111,91398776,415.57,20180111,14676717298231023492,21F8", Checksum::Match),
        ("01,10,044001500111,81966722,173.79,20170524,17884534745749991611,BE2D", Checksum::Match),
        ("01,10,044031900111,32218550,23.72,20190529,77549156542935977149,0285,", Checksum::Miss),
        ("01,10,044001900111,73998589,33.27,20191102,80151647620902022090,0C1E,", Checksum::Match),
        ("01,10,044001609111,37143540,172.41,20190129,84798234631222754768,A514,", Checksum::Match),
        ("01,10,033001800111,25672225,76.72,20180610,82076771121721427121,CB32,", Checksum::Match),
        ("01,10,031001700111,91076602,187.18,20170710,61052145051968576568,3977", Checksum::Match),
    ];

    #[test]
    fn texts_found_in_public_code_are_read() {
        let found: Vec<_> = FOUND.iter().map(|(text, _)| Invoice::parse(text).unwrap().checksum).collect();
        let expected: Vec<_> = FOUND.iter().map(|(_, checksum)| *checksum).collect();
        assert_eq!(found, expected);
        let first = Invoice::parse(FOUND[0].0).unwrap();
        assert_eq!((first.amount, first.tax()), (Fen(6490), Tax::Excluded));
        assert_eq!(first.date.to_string(), "2016-10-18");
        assert_eq!(first.duplicate_key(), "V:011001605111:80100798");
    }

    #[test]
    fn the_checksum_is_the_one_named() {
        assert_eq!(CRC.checksum(b"123456789"), 0xFEE8);
    }

    #[test]
    fn one_changed_digit_is_noticed() {
        let text = "01,32,,25152000009858579102,56.00,20250302,,D263";
        assert_eq!(Invoice::parse(text).unwrap().checksum, Checksum::Match);
        let slip = text.replace("56.00", "65.00");
        assert_eq!(Invoice::parse(&slip).unwrap().checksum, Checksum::Miss);
        let odd = text.replace("D263", "zzzz");
        assert_eq!(Invoice::parse(&odd).unwrap().checksum, Checksum::Miss);
    }

    #[test]
    fn a_claimed_sum_is_compared_knowing_the_kind() {
        let check = |text, claimed, tax: Option<i64>, expected| {
            let invoice = Invoice::parse(text).unwrap();
            assert_eq!(invoice.agrees_with(Fen(claimed), tax.map(Fen)), expected, "{text} {claimed}");
        };
        let with = "01,32,,25152000009858579102,56.00,20250302,,";
        check(with, 5600, None, true);
        check(with, 5700, None, false);
        let without = "01,10,011001900311,21010038,300,20200407,";
        check(without, 31_800, None, true);
        check(without, 29_900, None, false);
        check(without, 31_800, Some(1_800), true);
        check(without, 31_800, Some(1_700), false);
    }

    #[test]
    fn what_is_no_invoice_is_named() {
        let check = |text: &str, expected| assert_eq!(Invoice::parse(text), Err(expected), "{text}");
        check("", InvoiceError::Shape);
        check("https://example.com", InvoiceError::Shape);
        check("02,32,,25152000009858579102,56.00,20250302,,", InvoiceError::Shape);
        check("01,10,1234,80100798,64.9,20161018,", InvoiceError::Code);
        check("01,10,,80100798,64.9,20161018,", InvoiceError::Number);
        check("01,32,,25152000009858579102,5x,20250302,,", InvoiceError::Amount);
        check("01,32,,25152000009858579102,56.00,20250230,,", InvoiceError::Date);
        check("01,10,011001605111,80100798,64.9,20161018,8534296568", InvoiceError::CheckCode);
        check("01,10,011001605111,80100798,64.9,20161018,hello", InvoiceError::CheckCode);
        check(&"1".repeat(QR_BYTES_MAX + 1), InvoiceError::Shape);
    }

    #[test]
    fn a_text_cut_short_is_never_another_invoice() {
        for (text, _) in FOUND {
            let whole = Invoice::parse(text).unwrap();
            for end in 0..text.len() {
                // What is left of a text says the same invoice, without its checksum, or nothing.
                if let Ok(cut) = Invoice::parse(&text[..end]) {
                    let same =
                        Invoice { checksum: whole.checksum, check_code: whole.check_code.clone(), ..cut };
                    assert_eq!(same, whole, "{}", &text[..end]);
                }
            }
        }
    }
}
