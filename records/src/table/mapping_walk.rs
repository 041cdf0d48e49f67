//! One value of a mapping file at a time, with the line and the key of what is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::format::{Item, StrftimeItems};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a mapping file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {key}: {problem}")]
pub struct MappingError {
    /// The line of the mapping file, from 1.
    pub line: usize,
    /// The key that is meant; empty where the file is not TOML.
    pub key: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a key of a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(toml::de::Error),
    /// No such key here.
    #[error("no such key here")]
    UnknownKey,
    /// Another type of value.
    #[error("{0} is expected")]
    Expected(&'static str),
    /// Neither the file nor its cases name a kind.
    #[error("a kind is missing")]
    NoKind,
    /// No kind of that name.
    #[error("no kind of that name")]
    UnknownKind,
    /// The kind has no such single field.
    #[error("{0} has no such field")]
    UnknownField(&'static str),
    /// The kind has no such list.
    #[error("{0} has no such list")]
    UnknownList(&'static str),
    /// The kind's machine has no such step.
    #[error("{0} has no such step")]
    UnknownStep(&'static str),
    /// A constant or translation that the field's type does not take.
    #[error("the field does not take this value: {0}")]
    Value(crate::value::text::ValueError),
}

pub(crate) type Node<'a, 'i> = &'a Spanned<DeValue<'i>>;
pub(crate) type Table<'a, 'i> = &'a DeTable<'i>;

/// The file's text, to reckon lines from.
pub(crate) struct Walk<'t> {
    pub(crate) text: &'t str,
}

impl Walk<'_> {
    pub(crate) fn error(&self, key: &str, at: Range<usize>, problem: Problem) -> MappingError {
        let line = self.text.as_bytes().iter().take(at.start).filter(|byte| **byte == b'\n').count() + 1;
        MappingError { line, key: key.to_owned(), problem }
    }

    pub(crate) fn wrong<T>(&self, key: &str, node: Node, problem: Problem) -> Result<T, MappingError> {
        Err(self.error(key, node.span(), problem))
    }

    pub(crate) fn dates(&self, key: &str, node: Node) -> Result<Vec<String>, MappingError> {
        let shapes = self.strings(key, node)?;
        let good = |shape: &String| StrftimeItems::new(shape).all(|item| !matches!(item, Item::Error));
        if shapes.iter().all(good) {
            Ok(shapes)
        } else {
            self.wrong(key, node, Problem::Expected("a shape like %d/%m/%Y"))
        }
    }

    pub(crate) fn words(&self, key: &str, node: Node) -> Result<BTreeMap<String, String>, MappingError> {
        let pairs = self.table(key, node)?.iter();
        pairs
            .map(|(word, node)| {
                Ok((word.get_ref().to_string(), self.string(word.get_ref(), node)?.to_owned()))
            })
            .collect()
    }

    pub(crate) fn strings(&self, key: &str, node: Node) -> Result<Vec<String>, MappingError> {
        match node.get_ref() {
            DeValue::String(one) => Ok(vec![one.to_string()]),
            DeValue::Array(many) => many.iter().map(|node| Ok(self.string(key, node)?.to_owned())).collect(),
            _ => self.wrong(key, node, Problem::Expected("a text or a list of texts")),
        }
    }

    pub(crate) fn string<'a>(&self, key: &str, node: Node<'a, '_>) -> Result<&'a str, MappingError> {
        match node.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => self.wrong(key, node, Problem::Expected("a text")),
        }
    }

    pub(crate) fn yes(&self, key: &str, node: Node) -> Result<bool, MappingError> {
        match node.get_ref() {
            DeValue::Boolean(yes) => Ok(*yes),
            _ => self.wrong(key, node, Problem::Expected("true or false")),
        }
    }

    pub(crate) fn number(&self, key: &str, node: Node) -> Result<u32, MappingError> {
        let found = match node.get_ref() {
            DeValue::Integer(int) => {
                u32::from_str_radix(int.as_str(), int.radix()).ok().filter(|int| *int > 0)
            }
            _ => None,
        };
        self.given(key, node, found, "a whole number from 1")
    }

    pub(crate) fn array<'a, 'i>(
        &self,
        key: &str,
        node: Node<'a, 'i>,
    ) -> Result<&'a [Spanned<DeValue<'i>>], MappingError> {
        match node.get_ref() {
            DeValue::Array(many) => Ok(many),
            _ => self.wrong(key, node, Problem::Expected("a list of tables")),
        }
    }

    pub(crate) fn table<'a, 'i>(&self, key: &str, node: Node<'a, 'i>) -> Result<Table<'a, 'i>, MappingError> {
        match node.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => self.wrong(key, node, Problem::Expected("a table")),
        }
    }

    pub(crate) fn given<T>(
        &self,
        key: &str,
        node: Node,
        found: Option<T>,
        what: &'static str,
    ) -> Result<T, MappingError> {
        found.ok_or_else(|| self.error(key, node.span(), Problem::Expected(what)))
    }
}
