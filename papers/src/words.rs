//! The languages of a paper, and what is printed on every one.

/// The language that a paper's own words are in; values come from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese.
    ZhCn,
    /// Traditional Chinese.
    ZhTw,
    /// English.
    En,
}

/// A word in simplified Chinese, traditional Chinese and English.
pub(crate) type Word = (&'static str, &'static str, &'static str);

impl Lang {
    /// Returns the language of the labels in the schema tables.
    pub(crate) const fn labels(self) -> records::value::text::Lang {
        match self {
            Self::ZhCn => records::value::text::Lang::Zh,
            Self::ZhTw => records::value::text::Lang::ZhTw,
            Self::En => records::value::text::Lang::En,
        }
    }

    /// Returns the word in this language.
    pub(crate) const fn pick(self, word: Word) -> &'static str {
        match self {
            Self::ZhCn => word.0,
            Self::ZhTw => word.1,
            Self::En => word.2,
        }
    }

    /// Returns the word in this language as a text of its own.
    pub(crate) fn say(self, word: Word) -> String {
        self.pick(word).to_owned()
    }

    /// Returns a label with its value: `名称：值`, `Name: value`.
    pub(crate) fn labelled(self, label: &str, value: &str) -> String {
        let colon = if self == Self::En { ": " } else { "：" };
        format!("{label}{colon}{value}")
    }

    /// Returns the foot of a page: `第 1 页，共 3 页`.
    pub(crate) fn page(self, page: usize, pages: usize) -> String {
        match self {
            Self::ZhCn => format!("第 {page} 页，共 {pages} 页"),
            Self::ZhTw => format!("第 {page} 頁，共 {pages} 頁"),
            Self::En => format!("Page {page} of {pages}"),
        }
    }

    /// Returns the tag by which programs know the language.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::ZhTw => "zh-TW",
            Self::En => "en",
        }
    }
}
