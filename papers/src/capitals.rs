//! Amounts in Chinese capitals, the form that cannot be altered with a stroke of the pen.

use records::money::Fen;

const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];

/// Returns an amount in Chinese capitals: `壹仟贰佰叁拾肆元伍角陆分`.
///
/// `整` closes an amount without fen.
/// A run of zeros between two digits is one `零`; so is a missing jiao, and a zero before the jiao.
/// Of two spellings that the rules allow the one with more characters is taken: it leaves less room to add to.
/// A negative amount begins with `负`.
///
/// Source: the People's Bank of China's rules for filling in vouchers (正确填写票据和结算凭证的基本规定), 1 and 2.
///
/// ```
/// use papers::capitals::capitals;
/// use records::money::Fen;
/// assert_eq!(capitals(Fen(123_456)), "壹仟贰佰叁拾肆元伍角陆分");
/// assert_eq!(capitals(Fen(168_032)), "壹仟陆佰捌拾元零叁角贰分");
/// assert_eq!(capitals(Fen(1_640_902)), "壹万陆仟肆佰零玖元零贰分");
/// assert_eq!(capitals(Fen(200_000)), "贰仟元整");
/// ```
#[must_use]
pub fn capitals(amount: Fen) -> String {
    let fen = amount.0.unsigned_abs();
    let (yuan, jiao, fen) = (fen / 100, fen / 10 % 10, fen % 10);
    let mut text = String::from(if amount.0 < 0 { "负" } else { "" });
    if yuan > 0 {
        whole(&mut text, yuan);
        text.push('元');
        let gap = if jiao > 0 { yuan.is_multiple_of(10) } else { fen > 0 };
        if gap {
            text.push('零');
        }
    }
    if jiao > 0 {
        text.extend([digit(jiao), '角']);
    }
    match (fen, yuan + jiao) {
        (0, 0) => text.push_str("零元整"),
        (0, _) => text.push('整'),
        _ => text.extend([digit(fen), '分']),
    }
    text
}

/// Writes a number above 0: in groups of four digits, which are counted in ten thousands, then in hundred millions.
fn whole(text: &mut String, number: u64) {
    const PLACES: [(u64, char); 5] =
        [(100_000_000, '亿'), (10_000, '万'), (1_000, '仟'), (100, '佰'), (10, '拾')];
    let Some((size, unit)) = PLACES.into_iter().find(|(size, _)| *size <= number) else {
        return text.push(digit(number));
    };
    whole(text, number / size);
    text.push(unit);
    let rest = number % size;
    if rest > 0 {
        // The next lower place is empty, so something would be read into it.
        if rest < size / 10 {
            text.push('零');
        }
        whole(text, rest);
    }
}

fn digit(value: u64) -> char {
    usize::try_from(value).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or('零')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads capitals back, strictly by the meaning of each character.
    fn read(text: &str) -> i128 {
        let (sign, text) = text.strip_prefix('负').map_or((1, text), |rest| (-1, rest));
        let text = text.strip_suffix('整').unwrap_or(text);
        let (yuan, rest) = text.split_once('元').unwrap_or(("", text));
        let (jiao, rest) = rest.split_once('角').unwrap_or(("", rest));
        let fen = rest.strip_suffix('分').unwrap_or(rest);
        sign * (number(yuan) * 100 + number(jiao) * 10 + number(fen))
    }

    fn number(text: &str) -> i128 {
        for (unit, size) in [('亿', 100_000_000), ('万', 10_000), ('仟', 1_000), ('佰', 100), ('拾', 10)]
        {
            if let Some((high, low)) = text.rsplit_once(unit) {
                return number(high) * size + number(low);
            }
        }
        let digits = text.chars().filter(|c| *c != '零').map(|c| DIGITS.iter().position(|d| *d == c));
        digits.fold(0, |_, digit| i128::try_from(digit.unwrap()).unwrap())
    }

    #[test]
    fn amounts_are_written_as_the_bank_writes_them() {
        let check = |fen: i64, expected: &str| {
            assert_eq!(capitals(Fen(fen)), expected, "{fen}");
            assert_eq!(read(expected), i128::from(fen), "{expected}");
        };
        check(0, "零元整");
        check(5, "伍分");
        check(50, "伍角整");
        check(100, "壹元整");
        check(105, "壹元零伍分");
        check(1_000, "壹拾元整");
        check(1_050, "壹拾元零伍角整");
        check(140_950, "壹仟肆佰零玖元伍角整");
        check(600_714, "陆仟零柒元壹角肆分");
        check(168_032, "壹仟陆佰捌拾元零叁角贰分");
        check(10_700_053, "壹拾万柒仟元零伍角叁分");
        check(1_640_902, "壹万陆仟肆佰零玖元零贰分");
        check(32_504, "叁佰贰拾伍元零肆分");
        check(200_001, "贰仟元零壹分");
        check(10_050_000, "壹拾万零伍佰元整");
        check(1_000_010_000, "壹仟万零壹佰元整");
        check(10_000_500_000, "壹亿零伍仟元整");
        check(1_000_000_000_000_000, "壹拾万亿元整");
        check(-320, "负叁元贰角整");
    }

    proptest! {
        #[test]
        fn capitals_read_back_as_the_amount(fen: i64, small in -1_000_000_i64..1_000_000) {
            for fen in [fen, small, i64::MIN, i64::MAX] {
                prop_assert_eq!(read(&capitals(Fen(fen))), i128::from(fen));
            }
        }

        #[test]
        fn no_two_zeros_stand_together_and_none_at_the_end(fen: i64, small in 0_i64..100_000_000) {
            for fen in [fen, small] {
                let text = capitals(Fen(fen));
                prop_assert!(!text.contains("零零"), "{}", text);
                prop_assert!(!text.ends_with('零') && (fen == 0 || !text.contains("零元")), "{}", text);
            }
        }
    }
}
