//! State machines as tables: states, steps, who may take them, and which of two concurrent ones is stricter.

use crate::decision::Decision;
use crate::kinds::staff::Role;
use crate::value::Choices;

/// A state or a step by its place in the machine's list; lists are only appended to.
pub type Index = u8;

/// One state, or a flag beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// The identifier of `--state` and JSON.
    pub name: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
}

/// One step from some states to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The identifier.
    pub name: &'static str,
    /// The label in zh-CN.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// From where it may be taken.
    pub from: &'static [Index],
    /// Where it leads.
    pub to: Index,
    /// The roles that may take it; empty: only HQ's own log.
    pub who: &'static [Role],
    /// Whether only the document's own people may take it: its author, the staff that [`crate::schema::Kind::concerns`]
    /// names, and a colleague whom an earlier decision named in `to`.
    pub own: bool,
    /// Whether exactly those people may *not* take it: nobody judges his own work.
    pub apart: bool,
    /// What must be said with it.
    pub reason: Reason,
    /// Whether it must name a colleague in [`crate::decision::Decision::to`].
    pub names: bool,
    /// Of two concurrent steps the one with the larger number stands; equal numbers: the first in HQ's order.
    /// A run of steps that follow one another counts as its strictest.
    pub strictness: u8,
    /// Whether the step closes the content (the seal): frozen groups take no further writes.
    pub seals: bool,
    /// Whether two concurrent ones are a hard conflict, open until a step that [`Step::picks`] settles it.
    pub rival: bool,
    /// Whether it settles such a conflict by naming the decision that stands.
    pub picks: bool,
    /// Whether it leads back to where the step before it was taken from; [`Step::to`] is then not looked at.
    pub back: bool,
    /// The flag that a document carries where this step lost to a stricter concurrent one.
    pub lost_flag: Option<&'static State>,
}

/// What must be said with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing.
    None,
    /// Some words.
    Words,
    /// One identifier of the list; words may follow after a colon.
    OneOf(&'static Choices),
}

impl Step {
    /// What most steps are: anybody with the role, nothing to say, nothing special. The tables name what differs.
    pub const PLAIN: Self = Self {
        name: "",
        zh: "",
        en: "",
        from: &[],
        to: 0,
        who: &[],
        own: false,
        apart: false,
        reason: Reason::None,
        names: false,
        strictness: 0,
        seals: false,
        rival: false,
        picks: false,
        back: false,
        lost_flag: None,
    };
}

/// The states and steps of one kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    /// The machine's name.
    pub name: &'static str,
    /// The states; a new document is in the first.
    pub states: &'static [State],
    /// The steps; a decision carries the index.
    pub steps: &'static [Step],
}

impl Machine {
    /// Returns the index and the step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<(Index, &'static Step)> {
        let at = self.steps.iter().position(|step| step.name == name)?;
        Some((Index::try_from(at).ok()?, self.steps.get(at)?))
    }

    /// Returns the step of that index; `None` for one of a newer version.
    #[must_use]
    pub fn step_at(&self, index: Index) -> Option<&'static Step> {
        self.steps.get(usize::from(index))
    }

    /// Returns whether a seal can be set from there: until then the content is open.
    ///
    /// ```
    /// use records::kinds::claim_machine::{CLAIM, RETURNED, SUBMITTED};
    /// assert!(CLAIM.opens(RETURNED) && !CLAIM.opens(SUBMITTED));
    /// ```
    #[must_use]
    pub fn opens(&self, state: Index) -> bool {
        self.steps.iter().any(|step| step.seals && step.from.contains(&state))
    }

    /// Returns the index of the state of that name.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<Index> {
        Index::try_from(self.states.iter().position(|state| state.name == name)?).ok()
    }

    /// Returns where `decision` leads from `state`.
    ///
    /// Asks only what the document itself can answer: who may take the step is asked with [`Step::is_for`].
    ///
    /// # Errors
    /// [`StepError`], the first that holds in its order.
    ///
    /// ```
    /// use records::decision::Decision;
    /// use records::kinds::sheet_machine::{DRAFT, SEALED, SHEET};
    /// use records::kinds::staff::Role;
    /// let (step, _) = SHEET.step("seal").ok_or("no such step")?;
    /// let role = Role::ENGINEER;
    /// let seal = Decision { step, role, on_behalf_of: None, to: None, reason: String::new(), saw: None, picks: None };
    /// assert_eq!(SHEET.apply(DRAFT, &seal), Ok(SEALED));
    /// assert!(SHEET.apply(SEALED, &seal).is_err());
    /// # Ok::<(), &str>(())
    /// ```
    pub fn apply(&self, state: Index, decision: &Decision) -> Result<Index, StepError> {
        let step = self.step_at(decision.step).ok_or(StepError::Unknown { step: decision.step })?;
        if !step.from.contains(&state) {
            return Err(StepError::NotFromHere { step: step.name, state });
        }
        match step.reason {
            Reason::None => {}
            Reason::Words if decision.reason.trim().is_empty() => return Err(StepError::NeedsReason),
            Reason::Words => {}
            Reason::OneOf(list) => {
                let word = decision.reason.split(':').next().unwrap_or_default().trim();
                if list.index(word).is_none() {
                    return Err(StepError::NotAReason { list });
                }
            }
        }
        if step.names && decision.to.is_none() {
            return Err(StepError::NeedsColleague);
        }
        if step.picks && decision.picks.is_none() {
            return Err(StepError::NeedsPick);
        }
        Ok(step.to)
    }
}

impl Step {
    /// Returns whether somebody in `role` may take the step; `own` says whether he is one of the document's own people.
    #[must_use]
    pub fn is_for(&self, role: Role, own: bool) -> bool {
        self.who.contains(&role) && (!self.own || own) && (!self.apart || !own)
    }
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum StepError {
    /// A newer version's step.
    #[error("step {step} is of a newer version")]
    Unknown {
        /// Its index.
        step: Index,
    },
    /// The document is in another state.
    #[error("{step} is not possible in state {state}")]
    NotFromHere {
        /// The step's name.
        step: &'static str,
        /// The state it is in.
        state: Index,
    },
    /// Some words must be said.
    #[error("a reason is needed")]
    NeedsReason,
    /// One of a list must be named.
    #[error("the reason must be one of {}", list.name)]
    NotAReason {
        /// The list.
        list: &'static Choices,
    },
    /// A colleague must be named.
    #[error("a colleague must be named")]
    NeedsColleague,
    /// The decision that stands must be named.
    #[error("the decision that stands must be named")]
    NeedsPick,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::job_machine::JOB;
    use crate::kinds::sheet_machine::{DRAFT, RETURNED, SEALED, SHEET};
    use crate::kinds::voucher_machine::{REJECTED, SUBMITTED, VOUCHER};

    fn decision(machine: &Machine, step: &str, reason: &str) -> Decision {
        Decision {
            step: machine.step(step).unwrap().0,
            role: Role::ENGINEER,
            on_behalf_of: None,
            to: None,
            reason: reason.to_owned(),
            saw: None,
            picks: None,
        }
    }

    #[test]
    fn a_step_leads_on_or_says_what_it_lacks() {
        let seal = decision(&SHEET, "seal", "");
        assert_eq!(SHEET.apply(DRAFT, &seal), Ok(SEALED));
        let again = StepError::NotFromHere { step: "seal", state: SEALED };
        assert_eq!(SHEET.apply(SEALED, &seal), Err(again));
        assert_eq!(SHEET.apply(SEALED, &decision(&SHEET, "return", " ")), Err(StepError::NeedsReason));
        assert_eq!(SHEET.apply(SEALED, &decision(&SHEET, "return", "blurred")), Ok(RETURNED));
        assert_eq!(SHEET.apply(SEALED, &decision(&SHEET, "pick", "")), Err(StepError::NeedsPick));
        let newer = Decision { step: 99, ..seal };
        assert_eq!(SHEET.apply(DRAFT, &newer), Err(StepError::Unknown { step: 99 }));
        let accepted = JOB.state("accepted").unwrap();
        assert_eq!(JOB.apply(accepted, &decision(&JOB, "hand_over", "")), Err(StepError::NeedsColleague));
    }

    #[test]
    fn a_reason_of_a_list_may_be_followed_by_words() {
        let check = |reason, expected: Option<Index>| {
            assert_eq!(
                VOUCHER.apply(SUBMITTED, &decision(&VOUCHER, "reject", reason)).ok(),
                expected,
                "{reason}"
            );
        };
        check("fake", Some(REJECTED));
        check("invalid: another company's name", Some(REJECTED));
        check("ugly", None);
        check("", None);
    }

    #[test]
    fn nobody_judges_his_own_work_and_nobody_seals_anothers() {
        let is_for = |step: &str, role, own| SHEET.step(step).unwrap().1.is_for(role, own);
        assert!(is_for("seal", Role::ENGINEER, true) && !is_for("seal", Role::ENGINEER, false));
        assert!(is_for("accept", Role::SUPERVISOR, false) && !is_for("accept", Role::SUPERVISOR, true));
        assert!(!is_for("accept", Role::ENGINEER, false));
    }

    #[test]
    fn a_cancel_loses_to_an_arrival_and_wins_over_a_departure() {
        let strictness = |step: &str| JOB.step(step).unwrap().1.strictness;
        assert!(strictness("arrive") > strictness("cancel") && strictness("cancel") > strictness("depart"));
        let flag = JOB.step("cancel").unwrap().1.lost_flag;
        assert_eq!(flag.map(|flag| flag.name), Some("cancel_too_late"));
    }
}
