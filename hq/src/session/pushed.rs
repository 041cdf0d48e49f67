//! Segments that a device pushed, sorted by who signed them, and what the desk makes of them.

use sync_protocol::segment::Segment;
use sync_protocol::sign::PublicKey;

use crate::intake::desk::Desk;
use crate::intake::segments::Taken;
use crate::porter::Porter;
use crate::quota::Left;
use crate::store::StoreError;
use crate::store::devices::Why;
use crate::store::log::Came;

/// Segments on their way to the desk.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    /// The device's own, each with the key that signed it.
    pub(super) own: Vec<(Segment, PublicKey)>,
    /// The device's own that wait for a person or a newer program.
    pub(super) aside: Vec<(Segment, Why)>,
    /// Those of other devices.
    pub(super) carried: Vec<Segment>,
    /// When they came.
    pub(super) came: Came,
    /// The device's branch.
    pub(super) branch: u32,
    /// The device's first key, and whether it has several.
    pub(super) first_key: Option<PublicKey>,
    pub(super) several: bool,
}

/// What became of them.
#[derive(Debug)]
pub(super) struct CameTo {
    /// Of those that were taken in.
    pub(super) taken: Taken,
    /// Whether one of another device was not that device's.
    pub(super) refused: bool,
    /// Whether the device left more than its share.
    pub(super) beyond: bool,
}

impl Pushed {
    /// Takes them in.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it may be kept.
    pub(super) fn take(self, desk: &mut Desk, porter: &Porter) -> Result<CameTo, StoreError> {
        let Self { own, aside, carried, came, branch, first_key, several } = self;
        let left = Left { branch, porter, now_ms: came.received_ms };
        let mut beyond = false;
        for (segment, why) in aside {
            if desk.may_wait(&segment, &left)? {
                desk.store.hold_back(branch, &segment, why, came)?;
            } else {
                beyond = true;
            }
        }
        let mut refused = false;
        for segment in &carried {
            refused |= !desk.take_carried(segment, Came { skew_ms: None, ..came })?;
        }
        let mut good = Vec::with_capacity(own.len());
        for (segment, key) in own {
            if beyond || !desk.may_leave(&segment, &left)? {
                beyond = true;
                continue;
            }
            // Each key has its own epochs; what one wrote in another's waits for a person.
            if several && !desk.key_writes(first_key, &segment, &key)? {
                desk.store.hold_back(branch, &segment, Why::Unconfirmed, came)?;
            } else {
                good.push(segment);
            }
        }
        Ok(CameTo { taken: desk.take_from(good, came)?, refused, beyond })
    }
}
