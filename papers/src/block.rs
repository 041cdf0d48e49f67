//! What a paper consists of, before it is known which fonts it is set in and where its pages end.

/// One paper: it begins on a page of its own, and its pages are counted by themselves.
#[derive(Debug, Default)]
pub(crate) struct Leaf {
    /// What stands at the foot of each page.
    pub(crate) foot: String,
    pub(crate) blocks: Vec<Block>,
}

/// One part of a paper, from the top down.
#[derive(Debug)]
pub(crate) enum Block {
    Head(Head),
    /// Labels with values, two in a row.
    Facts(Vec<(String, String)>),
    Heading(String),
    /// A text over the whole width; it may go on over pages.
    Text(String),
    Table(Table),
    /// Boxes to sign in, three in a row.
    Signatures(Vec<Signing>),
    /// A drawing with a label, such as a signature.
    Picture(Picture),
    /// Places on which something is pasted; they fill what is left of the page.
    Places(Vec<String>),
    /// What follows begins on a page of its own.
    NextPage,
}

/// The title with what stands below it; the symbol stands at the right.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    /// What a camera reads; empty for none.
    pub(crate) symbol: String,
}

/// Rows below a heading that is repeated on every page.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Rows that close the table, set bold.
    pub(crate) sums: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) head: String,
    /// Its part of the width, in relation to the others.
    pub(crate) share: i32,
    pub(crate) right: bool,
}

/// A box to sign in.
#[derive(Debug)]
pub(crate) struct Signing {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) foot: String,
}

/// A picture in shades of grey, row by row from the top; 0 is black.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) label: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) shades: Vec<u8>,
}

impl Column {
    pub(crate) fn left(head: &str, share: i32) -> Self {
        Self { head: head.to_owned(), share, right: false }
    }

    pub(crate) fn right(head: &str, share: i32) -> Self {
        Self { right: true, ..Self::left(head, share) }
    }
}

impl Leaf {
    /// Calls `take` with every text that is printed of it, page numbers apart.
    pub(crate) fn texts(&self, take: &mut dyn FnMut(&str)) {
        take(&self.foot);
        self.blocks.iter().for_each(|block| block.texts(take));
    }
}

impl Block {
    fn texts(&self, take: &mut dyn FnMut(&str)) {
        match self {
            Self::Head(head) => {
                take(&head.title);
                head.lines.iter().for_each(|line| take(line));
            }
            Self::Facts(facts) => facts.iter().for_each(|(label, value)| {
                take(label);
                take(value);
            }),
            Self::Heading(text) | Self::Text(text) => take(text),
            Self::Table(table) => {
                table.columns.iter().for_each(|column| take(&column.head));
                table.rows.iter().chain(&table.sums).flatten().for_each(|cell| take(cell));
            }
            Self::Signatures(boxes) => boxes.iter().for_each(|signing| {
                take(&signing.title);
                signing.lines.iter().for_each(|line| take(line));
                take(&signing.foot);
            }),
            Self::Picture(picture) => take(&picture.label),
            Self::Places(places) => places.iter().for_each(|place| take(place)),
            Self::NextPage => {}
        }
    }
}
