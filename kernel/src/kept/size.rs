//! How much memory batches hold, which is more than they show where they are parts of others.

use std::collections::HashMap;

use arrow::array::{Array, ArrayData, RecordBatch, UInt64Array};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::compute::take_record_batch;

/// A batch that holds less than this beyond what it shows is left as it is.
const SLACK: u64 = 64 << 10;

/// The bytes that the rows of a batch take. Columns share the bytes they came in, so that the
/// buffers themselves would be counted once for each.
pub(crate) fn size(batch: &RecordBatch) -> u64 {
    let columns = batch.columns().iter().map(|column| {
        let size = column.to_data().get_slice_memory_size();
        size.unwrap_or_else(|_unknown| column.get_array_memory_size()) as u64
    });
    columns.sum()
}

/// The bytes of all memory that stays because of these batches.
pub(super) fn held(batches: &[RecordBatch]) -> u64 {
    let mut pieces = HashMap::new();
    for batch in batches {
        for column in batch.columns() {
            gather(&column.to_data(), &mut pieces);
        }
    }
    pieces.values().sum()
}

/// Takes note of the memory behind an array, by the address where it begins.
fn gather(data: &ArrayData, pieces: &mut HashMap<usize, u64>) {
    let nulls = data.nulls().map(NullBuffer::buffer);
    let mut add = |buffer: &Buffer| {
        let piece = pieces.entry(buffer.data_ptr().as_ptr() as usize);
        let bytes = piece.or_default();
        *bytes = (*bytes).max(buffer.capacity() as u64);
    };
    data.buffers().iter().chain(nulls).for_each(&mut add);
    for child in data.child_data() {
        gather(child, pieces);
    }
}

/// The batch, or a copy of its rows where it is a small part of what it holds.
pub(super) fn packed(batch: RecordBatch) -> RecordBatch {
    match held_by(&batch) > 2 * size(&batch) + SLACK {
        true => copied(batch),
        false => batch,
    }
}

/// The first rows, as many as hold at most so many bytes.
pub(super) fn first_within(batches: Vec<RecordBatch>, most: u64) -> Vec<RecordBatch> {
    let mut taken = Vec::new();
    let mut left = most;
    for batch in batches {
        let whole = held_by(&batch);
        if whole > left {
            taken.extend(part_within(&batch, whole, left));
            break;
        }
        left -= whole;
        taken.push(batch);
    }
    taken
}

/// The first rows of a batch that holds `whole` bytes, in a copy of at most so many bytes.
fn part_within(batch: &RecordBatch, whole: u64, most: u64) -> Option<RecordBatch> {
    let rows = batch.num_rows();
    // Rows are taken to be of one size at first.
    let part = u128::from(most) * rows as u128 / u128::from(whole);
    let mut some = usize::try_from(part).unwrap_or(rows);
    while some > 0 {
        let first = copied(batch.slice(0, some));
        if held_by(&first) <= most {
            return Some(first);
        }
        some /= 2;
    }
    None
}

fn held_by(batch: &RecordBatch) -> u64 {
    held(std::slice::from_ref(batch))
}

fn copied(batch: RecordBatch) -> RecordBatch {
    let all: UInt64Array = (0..batch.num_rows() as u64).collect();
    // A type that cannot be copied so stays as it came.
    take_record_batch(&batch, &all).unwrap_or(batch)
}
