//! Results that stay in the kernel's memory when their cell has ended.
//!
//! They are Arrow batches as Spark sent them. What is counted is what is held: the memory behind
//! the batches, each piece of it once.

mod scalar;
mod size;

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::display::{Zone, bytes, rows};
pub(crate) use size::size;
use size::{first_within, held, packed};

pub use scalar::NoScalar;

/// The name of the last result, which every other result replaces.
pub const LAST: &str = "_";

/// Bytes that one result holds at most that is kept by name.
pub const ONE_BYTES: u64 = 320_000_000;

/// Bytes that results kept by name hold at most, all together. The largest leaves room for others.
const NAMED_BYTES: u64 = 384_000_000;

/// Bytes that all kept results hold at most. What those kept by name leave of it is for the last
/// one, which never pushes one of them out.
pub const ALL_BYTES: u64 = 512_000_000;

/// A result as it was fetched.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// How many rows these are.
    pub rows: u64,
    /// Bytes that they hold.
    pub bytes: u64,
    /// The limit that kept other rows back; `None` where these are all.
    pub cut: Option<Cut>,
    /// The zone of its session, in which instants are shown whose column names none.
    pub zone: Zone,
    /// When it was fetched.
    pub at: SystemTime,
}

/// The limit at which a result was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Of its rows.
    Rows,
    /// Of its size in bytes.
    Bytes(u64),
}

impl Kept {
    /// A result that was fetched now.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>, cut: Option<Cut>, zone: Zone) -> Self {
        let full = batches.into_iter().filter(|batch| batch.num_rows() > 0);
        let batches: Vec<_> = full.map(packed).collect();
        Self {
            schema,
            rows: count(&batches),
            bytes: held(&batches),
            batches,
            cut,
            zone,
            at: SystemTime::now(),
        }
    }

    /// The same, or as many of its first rows as hold at most so many bytes.
    pub fn within(self, most: u64) -> Self {
        if self.bytes <= most {
            return self;
        }
        let batches = first_within(self.batches, most);
        Self {
            rows: count(&batches),
            bytes: held(&batches),
            batches,
            cut: Some(Cut::Bytes(most)),
            ..self
        }
    }

    /// Which part of the result it is, where it is not all of it: `the first 1,000 rows`.
    pub fn part(&self) -> Option<String> {
        let rows = match self.rows {
            1 => "the first row".to_owned(),
            count => format!("the first {}", rows(count)),
        };
        Some(match self.cut? {
            Cut::Rows => rows,
            Cut::Bytes(most) => format!("{rows}, up to {}", bytes(most)),
        })
    }
}

fn count(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

/// The results that are kept: by name, in any number, and the last one.
///
/// A name is made of ASCII letters, digits and `_` and does not begin with a digit; its case counts,
/// as it does for parameters.
#[derive(Debug)]
pub struct Shelf {
    /// The oldest first.
    named: Vec<(String, Arc<Kept>)>,
    last: Option<Arc<Kept>>,
    room: Room,
}

/// The most bytes that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    /// By one result that is kept by name.
    one: u64,
    /// By all that are kept by name.
    named: u64,
    /// By all.
    all: u64,
}

impl Default for Shelf {
    fn default() -> Self {
        Self::of(Room {
            one: ONE_BYTES,
            named: NAMED_BYTES,
            all: ALL_BYTES,
        })
    }
}

/// A result that had to make room for one that is kept by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Its name.
    pub name: String,
    /// Bytes that it held.
    pub bytes: u64,
}

impl Shelf {
    fn of(room: Room) -> Self {
        Self {
            named: Vec::new(),
            last: None,
            room,
        }
    }

    /// Keeps a result under a name, in the place of one that had it, and as the last one. Says
    /// which older ones had to make room.
    pub fn put(&mut self, name: &str, kept: Kept) -> Vec<Dropped> {
        let kept = Arc::new(kept.within(self.room.one));
        self.named.retain(|(other, _)| other != name);
        self.named.push((name.to_owned(), Arc::clone(&kept)));
        self.last = Some(kept);
        let mut dropped = Vec::new();
        while self.named.len() > 1 && self.held_by_name() > self.room.named {
            let (name, oldest) = self.named.remove(0);
            dropped.push(Dropped {
                name,
                bytes: oldest.bytes,
            });
        }
        dropped
    }

    /// Keeps a result as the last one, or as much of it as the others leave room for.
    pub fn put_last(&mut self, kept: Kept) {
        // Before it is cut, which may copy a part of it.
        self.last = None;
        let room = self.room.all.saturating_sub(self.held_by_name());
        self.last = Some(Arc::new(kept.within(room)));
    }

    /// The result of this name; that of [`LAST`] is the last one.
    pub fn get(&self, name: &str) -> Option<&Arc<Kept>> {
        self.list()
            .find(|(other, _)| *other == name)
            .map(|(_, kept)| kept)
    }

    /// What is kept: by name, the oldest first, then the last one.
    pub fn list(&self) -> impl Iterator<Item = (&str, &Arc<Kept>)> {
        let named = self.named.iter().map(|(name, kept)| (name.as_str(), kept));
        named.chain(self.last.iter().map(|kept| (LAST, kept)))
    }

    /// Lets a result go. One that is the last one as well goes as both, so that its memory is free;
    /// the last one alone leaves what is kept by name.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Kept>> {
        let gone = Arc::clone(self.get(name)?);
        self.named.retain(|(other, _)| other != name);
        if self
            .last
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, &gone))
        {
            self.last = None;
        }
        Some(gone)
    }

    fn held_by_name(&self) -> u64 {
        self.named.iter().map(|(_, kept)| kept.bytes).sum()
    }
}

#[cfg(test)]
mod tests;
