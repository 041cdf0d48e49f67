//! Who works where, in which roles, and who acts for whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::DocId;
use crate::kinds::org::OrgKind;
use crate::kinds::staff::Role;
use crate::time::Day;

/// The most days that somebody may act for somebody else, first and last included.
///
/// Source: docs/RULES.md C-06.
pub const DELEGATION_DAYS_MAX: i32 = 60;

/// The company's tree of units, its people and their delegations, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The units.
    pub units: BTreeMap<DocId, Unit>,
    /// The people.
    pub staff: BTreeMap<DocId, Person>,
    /// Who acts for whom.
    pub delegations: Vec<Delegation>,
}

/// A unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// The code in numbers.
    pub code: String,
    /// What it is.
    pub kind: Option<OrgKind>,
    /// Below what.
    pub parent: Option<DocId>,
    /// Who leads it as general manager.
    pub manager: Option<DocId>,
    /// Who leads it as supervisor.
    pub supervisor: Option<DocId>,
    /// Whether its people have monthly ceilings.
    pub lump_sum: bool,
}

/// A person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The code in numbers.
    pub code: String,
    /// Where he works.
    pub unit: Option<DocId>,
    /// His grade; empty where none is known.
    pub grade: String,
    /// His roles.
    pub roles: BTreeSet<Role>,
}

/// Somebody acts for somebody else for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The principal.
    pub from: DocId,
    /// The delegate.
    pub to: DocId,
    /// In which roles; none: in all of the principal's.
    pub roles: BTreeSet<Role>,
    /// The first day.
    pub valid_from: Day,
    /// The last day.
    pub valid_to: Day,
}

/// Levels of units that are looked at: a tree that runs in a circle ends here.
const DEPTH_MAX: usize = 16;

impl People {
    /// Returns the unit and everything above it, nearest first.
    pub fn above(&self, unit: DocId) -> impl Iterator<Item = DocId> {
        let next = |at: &DocId| self.units.get(at)?.parent;
        std::iter::successors(Some(unit), next).take(DEPTH_MAX)
    }

    /// Returns whether `unit` is `root` or lies below it.
    #[must_use]
    pub fn is_within(&self, unit: DocId, root: DocId) -> bool {
        self.above(unit).any(|at| at == root)
    }

    /// Returns the branch that a unit belongs to; `None` for a unit of headquarters, or one that is not known.
    #[must_use]
    pub fn branch_of(&self, unit: DocId) -> Option<DocId> {
        self.above(unit).find(|at| self.kind_of(*at) == Some(OrgKind::BRANCH))
    }

    /// Returns whether somebody supervises a unit: he is named as its supervisor, or works in it or above it as one.
    #[must_use]
    pub fn supervises(&self, staff: DocId, unit: DocId) -> bool {
        let named = self.supervisor_of(unit) == Some(staff);
        named || self.holds(staff, Role::SUPERVISOR) && self.works_above(staff, unit)
    }

    /// Returns whether somebody leads the branch of a unit: he is named as its manager, or works in it as branch GM.
    #[must_use]
    pub fn leads(&self, staff: DocId, unit: DocId) -> bool {
        let Some(branch) = self.branch_of(unit) else {
            return false;
        };
        let named = self.units.get(&branch).is_some_and(|branch| branch.manager == Some(staff));
        named || self.holds(staff, Role::BRANCH_GM) && self.branch_of_staff(staff) == Some(branch)
    }

    /// Returns the branch in which somebody works.
    #[must_use]
    pub fn branch_of_staff(&self, staff: DocId) -> Option<DocId> {
        self.branch_of(self.staff.get(&staff)?.unit?)
    }

    /// Returns whether somebody holds a role.
    #[must_use]
    pub fn holds(&self, staff: DocId, role: Role) -> bool {
        self.staff.get(&staff).is_some_and(|person| person.roles.contains(&role))
    }

    /// Returns the supervisor of record of a unit: the one that it or the nearest unit above it names.
    #[must_use]
    pub fn supervisor_of(&self, unit: DocId) -> Option<DocId> {
        self.above(unit).find_map(|at| self.units.get(&at)?.supervisor)
    }

    /// Returns the roles in which `delegate` acts for `principal` on a day; none where nobody said so.
    ///
    /// A delegation of more than [`DELEGATION_DAYS_MAX`] days counts on none of them.
    #[must_use]
    pub fn delegated(&self, principal: DocId, delegate: DocId, on: Day) -> BTreeSet<Role> {
        let all = self.staff.get(&principal).map(|person| &person.roles);
        let valid = self.delegations.iter().filter(|delegation| {
            (delegation.from, delegation.to) == (principal, delegate) && delegation.holds_on(on)
        });
        let held = all.into_iter().flatten().copied();
        let named = |role: &Role| {
            valid.clone().any(|delegation| delegation.roles.is_empty() || delegation.roles.contains(role))
        };
        held.filter(named).collect()
    }

    fn works_above(&self, staff: DocId, unit: DocId) -> bool {
        let own = self.staff.get(&staff).and_then(|person| person.unit);
        own.is_some_and(|own| self.is_within(unit, own))
    }

    fn kind_of(&self, unit: DocId) -> Option<OrgKind> {
        self.units.get(&unit)?.kind
    }
}

impl Delegation {
    /// Returns whether it counts on a day.
    #[must_use]
    pub fn holds_on(&self, day: Day) -> bool {
        let days = self.valid_to.0.saturating_sub(self.valid_from.0).saturating_add(1);
        (1..=DELEGATION_DAYS_MAX).contains(&days) && (self.valid_from..=self.valid_to).contains(&day)
    }
}
