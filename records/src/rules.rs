//! The rules that a form can break: id, weight, and what is said to the person. docs/RULES.md has the sources.

use crate::value::text::Lang;

/// What a broken rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The step is refused.
    Blocks,
    /// The step is refused until the person says why.
    Reason,
    /// The step goes on, and this is shown.
    Notice,
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable: stands in messages, tests and docs/RULES.md.
    pub id: &'static str,
    /// What it does.
    pub weight: Weight,
    /// The sentence in zh-CN; `{fact}` stands for a fact of the problem.
    pub zh: &'static str,
    /// The sentence in English.
    pub en: &'static str,
    /// What to do, in zh-CN.
    pub hint_zh: &'static str,
    /// What to do, in English.
    pub hint_en: &'static str,
}

impl Rule {
    /// Returns the sentence.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    /// Returns what to do.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> &'static str {
        lang.pick(self.hint_zh, self.hint_en)
    }
}

/// Returns every rule: of records, of claims, of imports.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    let claims = crate::claim::sentences::RULES.iter().chain(crate::claim::guard::sentences::RULES);
    let claims = claims.chain(crate::claim::traces::sentences::RULES);
    RULES.iter().chain(claims).chain(crate::table::refusal::RULES)
}

/// Returns the rule of that id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// A rule that refuses.
pub(crate) const fn blocks(
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    hint_zh: &'static str,
    hint_en: &'static str,
) -> Rule {
    Rule { id, weight: Weight::Blocks, zh, en, hint_zh, hint_en }
}

/// A rule that wants a reason.
pub(crate) const fn reason(
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    hint_zh: &'static str,
    hint_en: &'static str,
) -> Rule {
    Rule { id, weight: Weight::Reason, zh, en, hint_zh, hint_en }
}

/// A rule that is only shown.
pub(crate) const fn notice(
    id: &'static str,
    zh: &'static str,
    en: &'static str,
    hint_zh: &'static str,
    hint_en: &'static str,
) -> Rule {
    Rule { id, weight: Weight::Notice, zh, en, hint_zh, hint_en }
}

/// Every rule of the records; those of claims are [`crate::claim::sentences::RULES`], those of imports
/// [`crate::table::refusal::RULES`].
pub static RULES: &[Rule] = &[
    blocks(
        "S-01",
        "缺少到达或离开时间",
        "arrived or left is missing",
        "填写 arrived 和 left",
        "set arrived and left",
    ),
    blocks(
        "S-02",
        "离开时间 {left} 早于到达时间 {arrived}",
        "left {left} is before arrived {arrived}",
        "更正其中一个时间",
        "correct one of the two times",
    ),
    blocks(
        "S-03",
        "缺少结果",
        "the result is missing",
        "填写 result：done、partly 或 not_done",
        "set result to done, partly or not_done",
    ),
    blocks(
        "S-04",
        "必填检查项“{item}”没有答案",
        "the required checklist item \"{item}\" has no answer",
        "补充该检查项的答案",
        "answer it",
    ),
    blocks(
        "S-05",
        "检查项“{item}”的值 {value} 超出 {min} 至 {max}，且没有说明",
        "the value {value} of \"{item}\" is outside {min} to {max}, without a note",
        "更正数值，或在说明中写明原因",
        "correct the value, or add a note that explains it",
    ),
    blocks(
        "S-06",
        "“{item}”需要 {need} 张照片，现有 {have} 张",
        "\"{item}\" needs {need} photos, there are {have}",
        "补拍照片",
        "add photos",
    ),
    blocks(
        "S-07",
        "没有客户签字，也没有未签字原因",
        "there is no customer signature and no reason for its absence",
        "请客户签字，或选择未签字原因",
        "let the customer sign, or give a reason",
    ),
    blocks(
        "S-08",
        "签字缺少签字人姓名",
        "the signature does not say who signed",
        "填写签字人",
        "set signer_name",
    ),
    blocks(
        "S-09",
        "既有签字又有未签字原因",
        "there is both a signature and a reason for its absence",
        "去掉其中一个",
        "clear one of the two",
    ),
    blocks(
        "S-10",
        "“{group}”有未解决的冲突",
        "\"{group}\" has an open conflict",
        "先解决冲突（conflict list）",
        "settle it first, see conflict list",
    ),
    blocks(
        "S-11",
        "客户评分 {value} 不在 1 至 5 之间",
        "the rating {value} is not between 1 and 5",
        "填写 1 至 5",
        "set 1 to 5",
    ),
    blocks(
        "S-12",
        "更正单缺少更正原因",
        "the amendment does not say why",
        "填写 amend_reason",
        "set amend_reason",
    ),
    blocks(
        "S-13",
        "仪表“{meter}”的读数 {value} 低于上次读数 {last}",
        "the reading {value} of \"{meter}\" is below the last one, {last}",
        "更正读数，或注明翻转或换表",
        "correct it, or say that the meter rolled over or was replaced",
    ),
    blocks(
        "S-14",
        "检查项“{item}”的答案与其类型不符",
        "the answer to \"{item}\" does not fit what it asks for",
        "按类型 {kind} 重新填写",
        "answer it as {kind}",
    ),
    blocks("V-01", "缺少金额", "the amount is missing", "填写 amount", "set amount"),
    blocks("V-02", "缺少日期", "the date is missing", "填写 date", "set date"),
    blocks("V-03", "缺少费用类别", "the category is missing", "填写 category", "set category"),
    blocks(
        "V-04",
        "币种“{currency}”不是三个大写字母",
        "the currency \"{currency}\" is not three capital letters",
        "例如 CNY",
        "like CNY",
    ),
    blocks(
        "V-05",
        "金额 {amount} 元：录入的金额必须大于零",
        "the amount {amount} is not above zero",
        "退款只能导入；零金额不收",
        "refunds come by import only; zero is not taken",
    ),
    Rule {
        id: "V-06",
        weight: Weight::Notice,
        zh: "金额待补录",
        en: "the amount is still to be typed",
        hint_zh: "用 voucher set 填写 amount（含税）",
        hint_en: "set amount, tax included, with voucher set",
    },
    Rule {
        id: "V-07",
        weight: Weight::Notice,
        zh: "费用类别待选择",
        en: "the category is still to be chosen",
        hint_zh: "用 voucher set 填写 category",
        hint_en: "set category with voucher set",
    },
    Rule {
        id: "V-08",
        weight: Weight::Blocks,
        zh: "币种 {currency} 与制度不同",
        en: "the policy does not pay in {currency}",
        hint_zh: "按制度的币种另行报销",
        hint_en: "claim it in the policy's currency",
    },
    Rule {
        id: "N5",
        weight: Weight::Notice,
        zh: "与发票二维码不符：录入 {amount}，二维码 {qr}，校验{checksum}",
        en: "differs from the invoice QR: typed {amount}, QR {qr}, checksum {checksum}",
        hint_zh: "核对票面",
        hint_en: "compare with the paper",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_speaks_both_languages_and_stands_in_the_document() {
        let document = include_str!("../../docs/RULES.md");
        let all: Vec<&Rule> = all().collect();
        for (at, rule) in all.iter().enumerate() {
            for text in [rule.zh, rule.en, rule.hint_zh, rule.hint_en] {
                assert!(!text.is_empty(), "{}", rule.id);
            }
            assert!(document.contains(&format!("| {} |", rule.id)), "{} is not in docs/RULES.md", rule.id);
            assert!(all.iter().skip(at + 1).all(|other| other.id != rule.id), "{} twice", rule.id);
        }
    }
}
