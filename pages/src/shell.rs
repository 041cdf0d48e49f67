//! The shell of a page: head, tabs, who is here, the languages, one sentence about what was just done.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets;
use crate::widgets::{Tone, told};

/// Which face a page belongs to: they differ in size and density, not in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Gloves, sunlight, one hand: large targets, tabs at the bottom of a phone.
    Device,
    /// A desk: dense tables, tabs at the side.
    Office,
}

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// Where it leads.
    pub href: String,
    /// Its sign, one character of the text font.
    pub sign: &'static str,
    /// Its name.
    pub label: String,
    /// How many things wait behind it; 0 shows nothing.
    pub waiting: u64,
    /// Whether the page belongs to it.
    pub here: bool,
}

/// A language that the page can be read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// `zh-CN`.
    pub id: &'static str,
    /// Its own name.
    pub name: &'static str,
}

/// The languages, in the order in which the switch shows them.
pub const LANGUAGES: [Language; 3] = [
    Language { id: "zh-CN", name: "简体中文" },
    Language { id: "zh-TW", name: "繁體中文" },
    Language { id: "en", name: "English" },
];

/// What stands around a page's own content.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Which face.
    pub face: Face,
    /// The language: `zh-CN`.
    pub lang: &'static str,
    /// The page's own name.
    pub title: String,
    /// The program's name, as people call it.
    pub brand: String,
    /// Who is here; empty before somebody is.
    pub person: String,
    /// The tabs; none before somebody is here.
    pub tabs: Vec<Tab>,
    /// Where "back" leads, and its label; `None` on the first page of a tab.
    pub back: Option<(String, String)>,
    /// One sentence about what was just done, or went wrong.
    pub notice: Option<(Tone, String)>,
    /// What stands at the right of the title line: how the device stands with HQ.
    pub standing: Markup,
    /// The page's own address, to come back to after the language was changed.
    pub address: String,
    /// Label of "skip to content" for whoever has no mouse.
    pub skip: String,
    /// The label of the tabs for whoever hears the page.
    pub tabs_label: String,
    /// The manifest's address, where the pages can be installed.
    pub manifest: Option<&'static str>,
}

/// Returns the whole page.
#[must_use]
pub fn page(shell: &Shell, content: &Markup) -> Markup {
    let face = match shell.face {
        Face::Device => "device",
        Face::Office => "office",
    };
    html! {
        (DOCTYPE)
        html lang=(shell.lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                meta name="theme-color" content="#0b3d5c";
                title { (shell.title) " · " (shell.brand) }
                link rel="stylesheet" href=(assets::address("style.css"));
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                @if let Some(manifest) = shell.manifest {
                    link rel="manifest" href=(manifest) crossorigin="use-credentials";
                }
                script src=(assets::address("script.js")) defer {}
            }
            body class=(face) {
                a.skip href="#content" { (shell.skip) }
                (head(shell))
                main #content tabindex="-1" {
                    @if let Some((tone, sentence)) = &shell.notice { (told(*tone, sentence)) }
                    (content)
                    (languages(shell))
                }
                @if !shell.tabs.is_empty() { (tabs(shell)) }
            }
        }
    }
}

fn head(shell: &Shell) -> Markup {
    html! {
        header.top {
            @if let Some((href, label)) = &shell.back {
                a.back href=(href) aria-label=(label) { span aria-hidden="true" { "‹" } }
            }
            h1 { (crate::widgets::text(&shell.title)) }
            div.standing { (shell.standing) }
            @if !shell.person.is_empty() { span.person { (crate::widgets::text(&shell.person)) } }
        }
    }
}

fn tabs(shell: &Shell) -> Markup {
    html! {
        nav.tabs aria-label=(shell.tabs_label) {
            ul {
                @for tab in &shell.tabs {
                    li {
                        a href=(tab.href) aria-current=[tab.here.then_some("page")] {
                            span.sign aria-hidden="true" { (tab.sign) }
                            span.label { (tab.label) }
                            @if tab.waiting > 0 { span.waiting { (tab.waiting) } }
                        }
                    }
                }
            }
        }
    }
}

fn languages(shell: &Shell) -> Markup {
    let back: String = form_urlencoded::byte_serialize(shell.address.as_bytes()).collect();
    html! {
        footer.languages {
            @for language in LANGUAGES {
                @if language.id == shell.lang {
                    span lang=(language.id) aria-current="true" { (language.name) }
                } @else {
                    a href={ "/language/" (language.id) "?back=" (PreEscaped(&back)) } lang=(language.id) hreflang=(language.id) {
                        (language.name)
                    }
                }
            }
        }
    }
}
