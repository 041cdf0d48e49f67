//! Why a row was not taken: facts, with a stable rule id; the edge makes the sentence.

use crate::problems::Problem;
use crate::rules::{Rule, blocks};
use crate::table::source::RECORD_BYTES_MAX;
use crate::value::LIST_MAX;
use crate::value::text::ValueError;

/// One row that was not taken; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file on which the row begins, from 1; with a CSV the header is line 1.
    pub line: u64,
    /// The field, or the column where no field is concerned; empty where the whole row is.
    pub field: String,
    /// What stood there, at most [`VALUE_CHARS_MAX`] characters of it.
    pub value: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// So much of a refused value is shown.
pub const VALUE_CHARS_MAX: usize = 80;

/// What is wrong with a row or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// I-01: the row has another number of columns than the header.
    Columns {
        /// Of the header.
        expected: usize,
        /// Of the row.
        found: usize,
    },
    /// I-02: the bytes are not in the file's encoding.
    Encoding,
    /// I-03: the row is longer than [`RECORD_BYTES_MAX`], or a quote is never closed; nothing after it was read.
    TooManyBytes,
    /// I-04: the line is not one JSON object.
    NotAnObject,
    /// I-05: a required value is missing.
    Missing,
    /// I-06 to I-14: the text is not a value of the field.
    Value(ValueError),
    /// I-15: a day or an instant later than today where the mapping says that it has passed.
    InFuture,
    /// I-16: a list column that is not a JSON array.
    NotAList,
    /// I-17: more entries than a list takes.
    TooManyEntries,
    /// I-18: no section of the mapping says which kind the row is.
    NoCase,
    /// I-19: the file breaks off: it was cut, or its packing is damaged; nothing after it was read.
    BreaksOff,
    /// I-20: nobody and nothing in the master data has that code.
    NotKnown,
    /// I-21: the last day is before the first, or there are more days than may be.
    Period {
        /// The most days, both ends included; `None` where only the order counts.
        max: Option<i32>,
    },
    /// I-22: somebody on both sides of what needs two people.
    SamePerson,
    /// I-23: an amount below zero.
    BelowZero,
    /// A rule of the record itself, as when it is typed.
    Record(Box<Problem>),
}

impl From<ValueError> for Reason {
    fn from(error: ValueError) -> Self {
        Self::Value(error)
    }
}

impl Reason {
    /// Returns the stable id of the rule.
    ///
    /// Source: docs/RULES.md, Imports.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Columns { .. } => "I-01",
            Self::Encoding => "I-02",
            Self::TooManyBytes => "I-03",
            Self::NotAnObject => "I-04",
            Self::Missing => "I-05",
            Self::Value(error) => match error {
                ValueError::Time(_) => "I-06",
                ValueError::Amount(_) => "I-07",
                ValueError::NotACount | ValueError::NotADecimal { .. } => "I-08",
                ValueError::NotInList { .. } | ValueError::NotABool => "I-09",
                ValueError::TooLong { .. } => "I-10",
                ValueError::Control(_) | ValueError::NotComposed => "I-11",
                ValueError::NotAHash => "I-12",
                ValueError::NotAFix => "I-13",
                ValueError::Empty | ValueError::WrongType => "I-14",
            },
            Self::InFuture => "I-15",
            Self::NotAList => "I-16",
            Self::TooManyEntries => "I-17",
            Self::NoCase => "I-18",
            Self::BreaksOff => "I-19",
            Self::NotKnown => "I-20",
            Self::Period { .. } => "I-21",
            Self::SamePerson => "I-22",
            Self::BelowZero => "I-23",
            Self::Record(problem) => problem.rule,
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Columns { expected, found } => {
                vec![("expected", expected.to_string()), ("found", found.to_string())]
            }
            Self::Value(ValueError::TooLong { chars, max }) => {
                vec![("found", chars.to_string()), ("max", max.to_string())]
            }
            Self::Value(ValueError::NotInList { list }) => {
                let words: Vec<&str> = list.options.iter().map(|(word, ..)| *word).collect();
                vec![("list", words.join(", "))]
            }
            Self::Value(ValueError::NotABool) => vec![("list", "yes, no".to_owned())],
            Self::TooManyBytes => vec![("max", RECORD_BYTES_MAX.to_string())],
            Self::TooManyEntries => vec![("max", LIST_MAX.to_string())],
            Self::Period { max } => {
                vec![("max", max.map_or_else(|| "∞".to_owned(), |days| days.to_string()))]
            }
            _ => Vec::new(),
        }
    }
}

impl Refusal {
    /// Returns the problem, which has sentence and hint in both languages.
    ///
    /// ```
    /// use records::table::refusal::{Reason, Refusal};
    /// use records::value::text::Lang;
    /// let refusal = Refusal { line: 7, field: "date".into(), value: "31/02".into(), reason: Reason::InFuture };
    /// assert_eq!(refusal.problem().text(Lang::En), "31/02 lies in the future");
    /// ```
    #[must_use]
    pub fn problem(&self) -> Problem {
        if let Reason::Record(problem) = &self.reason {
            return Problem::clone(problem);
        }
        let mut facts = self.reason.facts();
        facts.push(("value", self.value.clone()));
        Problem { rule: self.reason.rule(), group: "", field: "", facts }
    }
}

/// Cuts a value for [`Refusal::value`]; what would steer a terminal is not shown.
pub(crate) fn shown(value: &str) -> String {
    let plain = |c: char| {
        if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
    };
    let more = value.char_indices().nth(VALUE_CHARS_MAX).map(|_| '…');
    value.chars().take(VALUE_CHARS_MAX).map(plain).chain(more).collect()
}

/// The rules of imports.
///
/// Source: docs/RULES.md, Imports.
pub static RULES: &[Rule] = &[
    blocks(
        "I-01",
        "该行有 {found} 列，标题行有 {expected} 列",
        "the row has {found} columns, the header {expected}",
        "检查引号和分隔符",
        "look for a missing quote or an extra delimiter",
    ),
    blocks(
        "I-02",
        "“{value}”不符合文件的字符编码",
        "\"{value}\" is not in the file's encoding",
        "在映射文件中写明 encoding，或另存为 UTF-8",
        "name the encoding in the mapping, or save the file as UTF-8",
    ),
    blocks(
        "I-03",
        "该行超过 {max} 字节，或引号未闭合；其后的行未读取",
        "the row has more than {max} bytes, or a quote is never closed; nothing after it was read",
        "补上缺少的引号后重新导入",
        "close the quote and import again",
    ),
    blocks(
        "I-04",
        "该行不是一个 JSON 对象",
        "the line is not one JSON object",
        "每行写一个 {...}",
        "write one {...} on each line",
    ),
    blocks("I-05", "缺少必填值", "a required value is missing", "补充该列", "fill in the column"),
    blocks(
        "I-06",
        "“{value}”不是日期或时间",
        "\"{value}\" is not a date or time",
        "写成 2026-11-22，或在映射文件的 dates 中写明格式",
        "write 2026-11-22, or name the shape under dates in the mapping",
    ),
    blocks(
        "I-07",
        "“{value}”不是金额",
        "\"{value}\" is not an amount",
        "写成 35.00，最多两位小数",
        "write 35.00, with at most two decimals",
    ),
    blocks(
        "I-08",
        "“{value}”不是该字段可用的数",
        "\"{value}\" is not a number that the field takes",
        "更正数值，或在映射文件中用 times、over 换算",
        "correct it, or convert it with times and over in the mapping",
    ),
    blocks(
        "I-09",
        "“{value}”不在列表中：{list}",
        "\"{value}\" is not one of: {list}",
        "在映射文件的 words 中写明对应词",
        "translate it under words in the mapping",
    ),
    blocks(
        "I-10",
        "{found} 个字符，最多 {max} 个",
        "{found} characters; at most {max} are taken",
        "缩短，或在映射文件中写 cut = true",
        "shorten it, or write cut = true in the mapping",
    ),
    blocks(
        "I-11",
        "“{value}”含有控制字符",
        "\"{value}\" has a control character",
        "删除该字符",
        "take it out",
    ),
    blocks(
        "I-12",
        "“{value}”不是 1 至 32 字节的十六进制数",
        "\"{value}\" is not the hexadecimal text of 1 to 32 bytes",
        "检查该值",
        "look at the value",
    ),
    blocks(
        "I-13",
        "“{value}”不是纬度和经度",
        "\"{value}\" is not a latitude and a longitude",
        "写成 30.1874,120.21369",
        "write 30.1874,120.21369",
    ),
    blocks("I-14", "值不适合该字段", "the value does not fit the field", "检查该值", "look at the value"),
    blocks("I-15", "{value} 在未来", "{value} lies in the future", "更正日期", "correct the date"),
    blocks(
        "I-16",
        "该列不是 JSON 列表",
        "the column is not a JSON list",
        "写成 [...]，或在映射文件中写明 split",
        "write [...], or name what divides it under split in the mapping",
    ),
    blocks("I-17", "超过 {max} 项", "more than {max} entries", "拆成几行", "divide it into several rows"),
    blocks(
        "I-18",
        "映射文件没有说明该行是哪一类",
        "the mapping does not say what the row is",
        "增加一个 [[case]]，或用 skip 略过",
        "add a [[case]], or skip it",
    ),
    blocks(
        "I-19",
        "文件在此中断，其后的行未读取",
        "the file breaks off here; nothing after it was read",
        "重新取得完整的文件",
        "get the whole file again",
    ),
    blocks(
        "I-20",
        "主数据中没有“{value}”",
        "\"{value}\" is not in the master data",
        "先导入该单位或人员，或更正编号",
        "import the unit or person first, or correct the code",
    ),
    blocks(
        "I-21",
        "“{value}”早于开始日，或超过 {max} 天",
        "\"{value}\" lies before the first day, or more than {max} days are meant",
        "更正起止日",
        "correct the first or the last day",
    ),
    blocks(
        "I-22",
        "“{value}”不能授权给自己",
        "\"{value}\" stands on both sides",
        "填写另一个人",
        "name another person",
    ),
    blocks(
        "I-23",
        "金额“{value}”小于零",
        "the amount \"{value}\" is below zero",
        "更正金额",
        "correct the amount",
    ),
];
