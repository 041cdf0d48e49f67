//! What every page has at hand: the visit, the home, the language, the time, and the shell around its content.

use std::path::PathBuf;

use maud::{Markup, html};
use pages::reply::Reply;
use pages::shell::{self, Face, Shell, Tab};
use pages::visit::{Verb, Visit};
use pages::widgets::{self, Tone};
use records::kinds::staff::Role;
use records::time::{Day, Ts, Zone};

use crate::cli::fault::{Exit, Fault};
use crate::cli::lang::{Fact, Lang};
use crate::clock::{Clock, Now};
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::web::courier::Courier;
use crate::web::held::Held;
use crate::web::kept::{self, Kept};

/// The tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The day.
    Today,
    /// Jobs and sheets.
    Sheets,
    /// Receipts, trips and claims.
    Money,
    /// Review of others' claims; only for whoever reviews.
    Review,
    /// Sync, conflicts, search and the rest.
    More,
}

impl Place {
    const ALL: [(Self, &'static str, &'static str, &'static str); 5] = [
        (Self::Today, "/", "◎", "web.tab.today"),
        (Self::Sheets, "/sheets", "✎", "web.tab.sheets"),
        (Self::Money, "/money", "¥", "web.tab.money"),
        (Self::Review, "/review", "✓", "web.tab.review"),
        (Self::More, "/more", "≡", "web.tab.more"),
    ];
}

/// The roles that review others' work on a device.
const REVIEWERS: [Role; 2] = [Role::SUPERVISOR, Role::BRANCH_GM];

/// One page, before its shell.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// To which tab it belongs.
    pub(crate) place: Place,
    /// Its name.
    pub(crate) title: String,
    /// Where "back" leads; `None` on the first page of a tab.
    pub(crate) back: Option<String>,
    /// What is on it.
    pub(crate) content: Markup,
}

/// What every page has at hand.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    /// What was asked for.
    pub(crate) visit: &'a Visit,
    /// The home.
    pub(crate) held: &'a Held,
    /// The language.
    pub(crate) lang: Lang,
    /// The clock.
    pub(crate) clock: Clock,
    /// What every form carries.
    pub(crate) token: &'a str,
    /// Where the system keeps its fonts.
    pub(crate) font_folders: &'a [PathBuf],
    /// Who syncs by himself.
    pub(crate) courier: &'a Courier,
    /// What refused forms brought.
    pub(crate) kept: &'a Kept,
}

impl Desk<'_> {
    /// Does one job with the home.
    ///
    /// # Errors
    /// A [`Fault`] as the command line would print it.
    pub(crate) fn with<T>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, NotebookError>,
    ) -> Result<T, Fault> {
        Ok(self.held.with(job)?)
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// Returns where the days of this home begin.
    pub(crate) fn zone(&self) -> Zone {
        // A home that does not open has no page either.
        self.with(|store| Ok(store.zone())).unwrap_or(Zone::SHANGHAI)
    }

    /// Returns a sentence without facts.
    pub(crate) fn say(&self, key: &str) -> String {
        self.lang.say(key, &[])
    }

    /// Returns a sentence with its facts.
    pub(crate) fn tell(&self, key: &str, facts: &[Fact<'_>]) -> String {
        self.lang.say(key, facts)
    }

    /// Returns an instant as people of this language read it, in the home's zone.
    pub(crate) fn instant(&self, ts: Ts, zone: Zone) -> String {
        ts.minute(zone)
    }

    /// Returns a day as people of this language read it.
    pub(crate) fn day(&self, day: Day) -> String {
        day.to_string()
    }

    /// Returns a form that is sent to `action`; one that was refused still has the files that it brought.
    pub(crate) fn form(&self, action: &str, content: &Markup) -> Markup {
        // A record is named by its code in one address and by its id in the other.
        let ends = |path: &str| {
            let mut parts = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
            (parts.next(), parts.next_back())
        };
        let refused = self.visit.verb == Verb::Post && ends(&self.visit.path) == ends(action);
        if !refused || self.visit.files.is_empty() {
            return widgets::form(action, self.token, content);
        }
        let name = self.kept.keep(&self.visit.files);
        let content = html! {
            input type="hidden" name=(kept::FIELD) value=(name);
            p.hint { (self.say("web.kept")) }
            div.pictures {
                @for (at, _) in self.visit.files.iter().enumerate() {
                    span.picture { img src={ "/kept/" (name) "/" (at) } alt=(self.tell("web.picture.named", &[("n", &(at + 1).to_string())])); }
                }
            }
            (content)
        };
        widgets::form(action, self.token, &content)
    }

    /// Returns the page in its shell.
    ///
    /// The address's `done` names a sentence about what was just done: `web.done.<done>`.
    ///
    /// # Errors
    /// Where the home does not say who works here.
    pub(crate) fn page(&self, leaf: &Leaf) -> Result<Reply, Fault> {
        let notice = self.done();
        Ok(Reply::page(self.shelled(leaf, notice)?))
    }

    /// Returns the page again with what stands against the form that was sent from it.
    ///
    /// # Errors
    /// Where the home does not say who works here.
    pub(crate) fn refused(&self, leaf: &Leaf, fault: &Fault) -> Result<Reply, Fault> {
        let notice = Some((Tone::Bad, self.sentence(fault)));
        let content = html! { (self.points(fault)) (leaf.content) };
        Ok(Reply::page_as(422, self.shelled(&Leaf { content, ..leaf.clone() }, notice)?))
    }

    /// Returns the page of a fault that no form stands for.
    pub(crate) fn fault(&self, fault: &Fault) -> Reply {
        let leaf = Leaf {
            place: Place::Today,
            title: self.say("web.fault.title"),
            back: Some("/".to_owned()),
            content: html! {
                (widgets::told(Tone::Bad, &self.sentence(fault)))
                (self.points(fault))
            },
        };
        let status = match fault.exit {
            // There is no such record, or it is of another kind.
            Exit::Refused if self.visit.verb == Verb::Get && matches!(&*fault.rule, "W-03" | "W-05") => 404,
            Exit::Refused => 422,
            Exit::Usage => 404,
            Exit::InUse | Exit::Unreachable => 503,
            Exit::Locked => 403,
            Exit::Done | Exit::Damaged | Exit::NoSpace => 500,
        };
        let page =
            self.shelled(&leaf, None).unwrap_or_else(|_| shell::page(&self.bare(&leaf), &leaf.content));
        Reply::page_as(status, page)
    }

    /// Returns a fault as one sentence with its rule and its hint.
    pub(crate) fn sentence(&self, fault: &Fault) -> String {
        let rule = if fault.rule.is_empty() { String::new() } else { format!(" [{}]", fault.rule) };
        format!("{}{rule} {}", fault.sentence(self.lang), fault.hint(self.lang))
    }

    /// Returns the open points of a fault, one line each with what to do.
    fn points(&self, fault: &Fault) -> Markup {
        let lang = self.lang.of_labels();
        html! {
            @if !fault.points.is_empty() {
                ul.findings {
                    @for point in &fault.points {
                        li.bad {
                            p { (widgets::badge(Tone::Bad, point.rule)) " " (widgets::text(&point.text(lang))) }
                            p.hint { (widgets::text(&point.hint(lang))) }
                        }
                    }
                }
            }
        }
    }

    fn done(&self) -> Option<(Tone, String)> {
        let done = self.visit.query.get("done")?;
        let sentence = self.lang.try_say(&format!("web.done.{done}"))?;
        Some((Tone::Good, sentence))
    }

    fn shelled(&self, leaf: &Leaf, notice: Option<(Tone, String)>) -> Result<Markup, Fault> {
        let (person, reviews, unsent) = self.with(|store| {
            let enrolment = &store.identity().enrolment;
            let reviews = enrolment.roles.iter().any(|role| REVIEWERS.contains(role));
            Ok((enrolment.staff_name.clone(), reviews, store.counts()?.unsent_ops))
        })?;
        let tabs = Place::ALL
            .into_iter()
            .filter(|(place, ..)| reviews || *place != Place::Review)
            .map(|(place, href, sign, key)| Tab {
                href: href.to_owned(),
                sign,
                label: self.say(key),
                waiting: 0,
                here: place == leaf.place,
            })
            .collect();
        let standing = match unsent {
            0 => widgets::badge(Tone::Good, &self.say("web.standing.level")),
            n => widgets::badge(Tone::Warning, &self.tell("web.standing.here", &[("n", &n.to_string())])),
        };
        let shell = Shell {
            person,
            tabs,
            notice,
            standing: html! { a href="/sync" { (standing) } },
            ..self.bare(leaf)
        };
        Ok(shell::page(&shell, &leaf.content))
    }

    fn bare(&self, leaf: &Leaf) -> Shell {
        let address = if self.visit.verb == Verb::Get { self.visit.path.clone() } else { "/".to_owned() };
        Shell {
            face: Face::Device,
            lang: self.lang.id(),
            title: leaf.title.clone(),
            brand: self.say("web.brand"),
            person: String::new(),
            tabs: Vec::new(),
            back: leaf.back.clone().map(|href| (href, self.say("web.back"))),
            notice: None,
            standing: html! {},
            address,
            skip: self.say("web.skip"),
            tabs_label: self.say("web.tabs"),
            manifest: Some("/manifest.json"),
        }
    }
}
