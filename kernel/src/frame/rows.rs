//! The rows of a result, whose columns are read when they are asked for.

use std::cell::OnceCell;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};

use super::column::{Column, Kind};
use super::names::Names;
use super::read::{kind, read};
use crate::display::Zone;

/// The rows of a result.
pub struct Rows<'a> {
    schema: &'a Schema,
    /// Those that hold rows.
    batches: Vec<&'a RecordBatch>,
    zone: &'a Zone,
    names: Vec<OnceCell<Option<Names>>>,
}

impl<'a> Rows<'a> {
    /// The rows of these batches; instants are shown in the zone of their column or else in `zone`.
    pub fn new(schema: &'a Schema, batches: &'a [RecordBatch], zone: &'a Zone) -> Self {
        Self {
            schema,
            batches: batches
                .iter()
                .filter(|batch| batch.num_rows() > 0)
                .collect(),
            zone,
            names: schema.fields().iter().map(|_| OnceCell::new()).collect(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.batches.iter().map(|batch| batch.num_rows()).sum()
    }

    /// The columns.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.schema.fields().iter().map(AsRef::as_ref)
    }

    /// What a column's values are; `None` for those that are neither counted nor drawn.
    pub fn kind(&self, column: usize) -> Option<Kind> {
        kind(self.schema.fields().get(column)?.data_type())
    }

    /// The name of the zone that a column's instants are shown in; `None` where it holds none.
    pub fn zone(&self, column: usize) -> Option<String> {
        let field = self.schema.fields().get(column)?;
        let zone = Zone::of(field.data_type(), self.zone)?;
        Some(zone.name().to_owned())
    }

    /// Whether a column has a value that is not null.
    pub fn has_values(&self, column: usize) -> bool {
        let mut pieces = self.pieces(column).into_iter();
        pieces.any(|piece| piece.null_count() < piece.len())
    }

    /// Whether a column has nulls.
    pub fn has_nulls(&self, column: usize) -> bool {
        self.pieces(column)
            .iter()
            .any(|piece| piece.null_count() > 0)
    }

    /// A column, read anew each time.
    pub fn column(&self, column: usize) -> Option<Column> {
        let field = self.schema.fields().get(column)?;
        read(field, &self.pieces(column), self.zone)
    }

    /// A column of names, read once; `None` where it holds others or too many.
    pub fn names(&self, column: usize) -> Option<&Names> {
        let cell = self.names.get(column)?;
        cell.get_or_init(|| Names::read(&self.pieces(column)))
            .as_ref()
    }

    fn pieces(&self, column: usize) -> Vec<ArrayRef> {
        let pieces = self
            .batches
            .iter()
            .filter_map(|batch| batch.columns().get(column));
        pieces.cloned().collect()
    }
}
