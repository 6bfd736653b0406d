//! What a model holds besides its description.

use super::format::{Action, Space};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How many cells that were written are kept: whoever is served a model can write to any address of
/// a space of 4 GiB. Writes to further cells are lost.
const MOST_CELLS: usize = 1 << 20;
/// How many actions can be due at a time; further ones do not happen.
const MOST_PENDING: usize = 1 << 16;

/// What a model holds besides its description.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelState {
    pub(super) cells: Cells,
    /// How many of a register's scripted values were read.
    #[serde(with = "pairs")]
    scripted: HashMap<(Space, u64), usize>,
    /// By time, then in the order in which they were scheduled.
    #[serde(with = "pairs")]
    pending: BTreeMap<(Duration, u64), Due>,
    /// How many actions were scheduled.
    scheduled: u64,
    pub(super) dead_until: Duration,
}

/// Cells that were written, or changed by an action.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Cells(#[serde(with = "pairs")] HashMap<(Space, u64), u32>);

/// Maps whose keys are no texts, as lists of pairs.
mod pairs {
    use super::MOST_CELLS;
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<'m, S, M, K, V>(map: &'m M, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
        &'m M: IntoIterator<Item = (&'m K, &'m V)>,
        K: Serialize + Ord + 'm,
        V: Serialize + 'm,
    {
        let mut pairs: Vec<(&K, &V)> = map.into_iter().collect();
        pairs.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_seq(pairs)
    }

    pub(super) fn deserialize<'de, D, M, K, V>(deserializer: D) -> Result<M, D::Error>
    where
        D: Deserializer<'de>,
        M: FromIterator<(K, V)>,
        K: DeserializeOwned,
        V: DeserializeOwned,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().take(MOST_CELLS).collect())
    }
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Due {
    /// Nothing answers for a time.
    Dead {
        /// How long.
        time: Duration,
    },
    /// A cell changes.
    Change {
        /// In which space.
        space: Space,
        /// Which cell.
        offset: u64,
        /// The bits that stay.
        and: u32,
        /// The bits that are set.
        or: u32,
    },
}

impl Cells {
    pub(super) fn get(&self, space: Space, offset: u64) -> Option<u32> {
        self.0.get(&(space, offset)).copied()
    }

    pub(super) fn set(&mut self, space: Space, offset: u64, value: u32) {
        let place = (space, offset);
        if self.0.len() < MOST_CELLS || self.0.contains_key(&place) {
            self.0.insert(place, value);
        }
    }
}

impl ModelState {
    /// The next action that is due at `now`, and when it was.
    pub(super) fn next_due(&mut self, now: Duration) -> Option<(Duration, Action)> {
        let entry = self.pending.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((due, _), what) = entry.remove_entry();
        Some((due, Action { what, after: Duration::ZERO }))
    }

    pub(super) fn schedule(&mut self, due: Duration, action: &Action) {
        if self.pending.len() < MOST_PENDING {
            self.pending.insert((due, self.scheduled), action.what);
            self.scheduled = self.scheduled.wrapping_add(1);
        }
    }

    /// The next of a register's scripted values; the last one stays.
    pub(super) fn next_scripted(&mut self, place: (Space, u64), values: &[u32]) -> u32 {
        let index = self.scripted.entry(place).or_default();
        let value = values.get(*index).or(values.last()).copied().unwrap_or(0);
        *index = index.saturating_add(1);
        value
    }
}
