//! What every page of the console has at hand: who looks, what for, the language, the shell around its content.

use maud::{Markup, html};
use pages::reply::Reply;
use pages::shell::{self, Face, Shell, Tab};
use pages::visit::{Verb, Visit};
use pages::widgets::{self, Tone, Weight};
use records::id::DocId;
use records::kinds::staff::Role;
use records::time::{Day, Ts, Zone};

use crate::cli::answer::{DAMAGED, Fault, IN_USE, Lang, NO_SPACE, REFUSED, USAGE};
use crate::intake;
use crate::money::actor::Actor;
use crate::money::refusal::MoneyError;
use crate::money::rows::instant;
use crate::web::console::Console;

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// His staff record.
    pub staff: DocId,
    /// His staff code.
    pub code: String,
    /// His name.
    pub name: String,
    /// His roles, as they are now.
    pub roles: Vec<Role>,
    /// The roles of those for whom he decides today.
    pub delegated: Vec<Role>,
    /// What every form of his carries.
    pub token: String,
}

/// The tabs, and who sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What waits for this person.
    Today,
    /// Jobs and their dispatch.
    Jobs,
    /// The supervisor's and the branch GM's review.
    Review,
    /// Envelopes and lines.
    Audit,
    /// The manager's and the vice-president's queue, alerts, cases, exceptions.
    Approve,
    /// Finance.
    Pay,
    /// Pictures of how things stand.
    Charts,
    /// Every list, to search and to download.
    Lists,
    /// Devices, staff, policy, calendar.
    Admin,
}

impl Place {
    /// Place, address, sign, label, the roles that it is for; none: for everybody.
    const ALL: [(Self, &'static str, &'static str, &'static str, &'static [Role]); 9] = [
        (Self::Today, "/", "◎", "console.tab.today", &[]),
        (Self::Jobs, "/jobs", "⚑", "console.tab.jobs", &[Role::DESK, Role::DISPATCHER, Role::SUPERVISOR]),
        (Self::Review, "/review", "✓", "console.tab.review", &[Role::SUPERVISOR, Role::BRANCH_GM]),
        (Self::Audit, "/audit", "≣", "console.tab.audit", &[Role::AUDITOR]),
        (Self::Approve, "/approve", "★", "console.tab.approve", &[Role::CS_MANAGER, Role::SALES_VP]),
        (Self::Pay, "/pay", "¥", "console.tab.pay", &[Role::FINANCE]),
        (
            Self::Charts,
            "/charts",
            "▤",
            "console.tab.charts",
            &[
                Role::CS_MANAGER,
                Role::SALES_VP,
                Role::BRANCH_GM,
                Role::SUPERVISOR,
                Role::ADMIN,
                Role::FINANCE,
                Role::AUDITOR,
            ],
        ),
        (Self::Lists, "/lists", "≡", "console.tab.lists", &[]),
        (Self::Admin, "/admin", "⚙", "console.tab.admin", &[Role::ADMIN]),
    ];

    /// Returns the roles that the tab is for; none: for everybody.
    fn roles(self) -> &'static [Role] {
        Self::ALL.iter().find(|(place, ..)| *place == self).map_or(&[], |(.., roles)| roles)
    }
}

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
    /// What all visits share.
    pub(crate) console: &'a Console,
    /// The language.
    pub(crate) lang: Lang,
    /// Who looks.
    pub(crate) person: &'a Person,
}

impl Desk<'_> {
    /// Looks something up.
    ///
    /// # Errors
    /// A [`Fault`] as the command line would print it.
    pub(crate) fn look<T>(
        &self,
        job: impl FnOnce(&mut intake::desk::Desk) -> Result<T, MoneyError>,
    ) -> Result<T, Fault> {
        let lang = self.lang;
        self.console.read(|desk| job(desk).map_err(|error| Fault::money(error, lang)))
    }

    /// Has this person do something; it is on the disk when this returns.
    ///
    /// The form's `for` is the staff code of the one for whom he does it.
    ///
    /// # Errors
    /// A [`Fault`] with the rule that stands against it; then nothing is kept.
    pub(crate) fn act<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut intake::desk::Desk, &Actor, u64) -> Result<T, MoneyError> + Send + 'static,
    ) -> Result<T, Fault> {
        let (code, today, now_ms) = (self.person.code.clone(), self.today(), self.now_ms());
        let principal = self.visit.form.get("for").map(str::to_owned);
        let done = self.console.office.writer.run(move |desk| {
            let actor = desk.actor(&code, principal.as_deref(), today)?;
            job(desk, &actor, now_ms)
        });
        match done {
            Ok(done) => done.map_err(|error| Fault::money(error, self.lang)),
            Err(_) => Err(Fault::new(DAMAGED, "hq.damaged").with("what", "commit")),
        }
    }

    /// Has the writer do a piece of administration; it is noted in the audit trail as `what` about `about`, with who did it.
    ///
    /// # Errors
    /// `console.fault.role` for whoever is no administrator, and what the job says; then nothing is kept.
    pub(crate) fn administer<T: Send + 'static>(
        &self,
        what: &'static str,
        about: String,
        job: impl FnOnce(&mut intake::desk::Desk, u64) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.only(Place::Admin)?;
        let (now_ms, by) = (self.now_ms(), self.person.code.clone());
        let done = self.console.office.writer.run(move |desk| {
            let done = job(desk, now_ms)?;
            desk.store.audit(0, now_ms, what, &format!("{about} ({by})"))?;
            Ok::<T, Fault>(done)
        });
        done.map_err(|_| Fault::new(DAMAGED, "hq.damaged").with("what", "commit"))?
    }

    /// Refuses whom the tab is not for.
    ///
    /// # Errors
    /// `console.fault.role`.
    pub(crate) fn only(&self, place: Place) -> Result<(), Fault> {
        if self.opens(place) { Ok(()) } else { Err(Fault::new(REFUSED, "console.fault.role")) }
    }

    /// Returns whether a tab is for this person: he holds one of its roles, or decides there for somebody who does.
    pub(crate) fn opens(&self, place: Place) -> bool {
        let roles = place.roles();
        let decides = matches!(place, Place::Review | Place::Audit | Place::Approve);
        let stands_in = self.person.delegated.iter().any(|role| roles.contains(role));
        roles.is_empty() || self.holds(roles) || decides && stands_in
    }

    /// Returns whether he holds one of the roles.
    pub(crate) fn holds(&self, roles: &[Role]) -> bool {
        self.person.roles.iter().any(|role| roles.contains(role))
    }

    /// Returns milliseconds UTC.
    pub(crate) fn now_ms(&self) -> u64 {
        self.console.office.clock.now_ms()
    }

    /// Returns the day, in China.
    pub(crate) fn today(&self) -> Day {
        instant(self.now_ms()).day(Zone::SHANGHAI)
    }

    /// Returns a sentence without facts.
    pub(crate) fn say(&self, key: &str) -> String {
        self.lang.say(key, &[])
    }

    /// Returns a sentence with its facts.
    pub(crate) fn tell(&self, key: &str, facts: &[(&str, &str)]) -> String {
        let facts: Vec<_> = facts.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.lang.say(key, &facts)
    }

    /// Returns an instant as people read it, in China's zone.
    pub(crate) fn instant(&self, ts: Ts) -> String {
        ts.minute(Zone::SHANGHAI)
    }

    /// Returns a form that is sent to `action`.
    pub(crate) fn form(&self, action: &str, content: &Markup) -> Markup {
        widgets::form(action, &self.person.token, content)
    }

    /// Returns the page in its shell; the address's `done` names a sentence: `console.done.<done>`.
    pub(crate) fn page(&self, leaf: &Leaf) -> Reply {
        let done = self.visit.query.get("done").map(|done| format!("console.done.{done}"));
        let said = done.map(|key| (self.say(&key), key)).filter(|(said, key)| said != key);
        Reply::page(self.shelled(leaf, said.map(|(said, _)| (Tone::Good, said))))
    }

    /// Returns the page again with what stands against the form that was sent from it.
    pub(crate) fn refused(&self, leaf: &Leaf, fault: &Fault) -> Reply {
        Reply::page_as(422, self.shelled(leaf, Some((Tone::Bad, fault.sentence(self.lang)))))
    }

    /// Returns the page of a fault that no form stands for.
    pub(crate) fn fault(&self, fault: &Fault) -> Reply {
        let leaf = Leaf {
            place: Place::Today,
            title: self.say("console.fault.title"),
            back: Some("/".to_owned()),
            content: widgets::told(Tone::Bad, &fault.sentence(self.lang)),
        };
        let status = match fault.code {
            REFUSED if fault.key == "console.fault.role" => 403,
            REFUSED if self.visit.verb == Verb::Get && is_unknown(fault) => 404,
            REFUSED => 422,
            USAGE => 404,
            IN_USE => 503,
            DAMAGED | NO_SPACE => 500,
            _ => 500,
        };
        Reply::page_as(status, self.shelled(&leaf, None))
    }

    /// The search that stands on every page.
    fn searching(&self) -> Markup {
        let label = self.say("console.search");
        html! {
            form.searching method="get" action="/search" role="search" {
                input type="search" name="q" data-key="/" aria-label=(label) placeholder=(label) autocomplete="off";
            }
        }
    }

    fn shelled(&self, leaf: &Leaf, notice: Option<(Tone, String)>) -> Markup {
        let tabs = Place::ALL
            .into_iter()
            .filter(|(place, ..)| self.opens(*place))
            .map(|(place, href, sign, key, _)| Tab {
                href: href.to_owned(),
                sign,
                label: self.say(key),
                waiting: 0,
                here: place == leaf.place,
            })
            .collect();
        let leave = widgets::button(Weight::Second, &self.say("console.login.leave"), None);
        let shell = Shell {
            face: Face::Office,
            lang: self.lang.id(),
            title: leaf.title.clone(),
            brand: self.say("console.brand"),
            person: format!("{} {}", self.person.code, self.person.name),
            tabs,
            back: leaf.back.clone().map(|href| (href, self.say("console.back"))),
            notice,
            standing: html! { (self.searching()) (self.form("/logout", &leave)) },
            address: if self.visit.verb == Verb::Get { self.visit.path.clone() } else { "/".to_owned() },
            skip: self.say("console.skip"),
            tabs_label: self.say("console.tabs"),
            manifest: None,
        };
        shell::page(&shell, &leaf.content)
    }
}

/// Returns whether a fault says that what was asked for is not there.
fn is_unknown(fault: &Fault) -> bool {
    fault.rule == "H-01" || fault.key.ends_with(".unknown")
}
