//! Arrow's streaming format, decoded where it lies.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use bytes::Bytes;

/// What one IPC stream held.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Decodes one whole IPC stream that came in these pieces.
///
/// The arrays share the bytes they came in. Arrow copies a column only where its buffer lies at an
/// address its type cannot have, or crosses the border of two pieces.
pub(crate) fn decode(pieces: impl IntoIterator<Item = Bytes>) -> Result<Decoded, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    for piece in pieces {
        let mut buffer = Buffer::from(piece);
        while !buffer.is_empty() {
            batches.extend(decoder.decode(&mut buffer)?);
        }
    }
    let schema = decoder.schema();
    decoder.finish()?;
    let schema = schema.ok_or_else(|| ArrowError::IpcError("no schema".to_owned()))?;
    Ok(Decoded { schema, batches })
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::Arc;

    use arrow::array::{Array, Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    fn written() -> Vec<u8> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("name", DataType::Utf8, true),
        ]));
        let ids = Int64Array::from_iter_values(0..1000);
        let names: StringArray = (0..1000)
            .map(|id| (id % 3 != 0).then(|| format!("name {id}")))
            .collect();
        let columns: Vec<Arc<dyn Array>> = vec![Arc::new(ids), Arc::new(names)];
        let batch = RecordBatch::try_new(schema.clone(), columns).expect("a batch");
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).expect("a writer");
        writer.write(&batch).expect("written");
        writer.into_inner().expect("finished")
    }

    /// The same bytes at an address that is a multiple of 64, or `off` behind one.
    fn placed(data: &[u8], off: usize) -> Bytes {
        let mut space = vec![0; data.len() + 128];
        let start = space.as_ptr().align_offset(64) + off;
        space[start..start + data.len()].copy_from_slice(data);
        Bytes::from(space).slice(start..start + data.len())
    }

    fn range(bytes: &[u8]) -> Range<*const u8> {
        bytes.as_ptr_range()
    }

    #[test]
    fn decoded_columns_lie_in_the_bytes_that_were_received() {
        let bytes = placed(&written(), 0);
        let received = range(&bytes);
        let decoded = decode([bytes.clone()]).expect("decoded");
        let mut buffers = 0;
        for column in decoded.batches[0].columns() {
            let data = column.to_data();
            let nulls = data.nulls().map(|nulls| nulls.buffer().clone());
            for buffer in data.buffers().iter().cloned().chain(nulls) {
                let place = range(buffer.as_slice());
                assert!(received.start <= place.start && place.end <= received.end);
                buffers += 1;
            }
        }
        assert_eq!(buffers, 4, "ids, offsets, names, and which names are null");
    }

    #[test]
    fn bytes_at_any_address_and_in_any_pieces_give_the_same_rows() {
        let data = written();
        let expected = decode([placed(&data, 0)]).expect("decoded").batches;
        for off in 1..16 {
            let decoded = decode([placed(&data, off)]).expect("decoded");
            assert_eq!(decoded.batches, expected, "{off}");
        }
        for size in [1, 7, 100, 4096] {
            let pieces = data.chunks(size).map(Bytes::copy_from_slice);
            assert_eq!(decode(pieces).expect("decoded").batches, expected, "{size}");
        }
    }

    #[test]
    fn a_stream_that_is_cut_is_refused() {
        let data = written();
        for end in [0, 3, 20, data.len() / 2] {
            let cut = Bytes::copy_from_slice(&data[..end]);
            assert!(decode([cut]).is_err(), "{end}");
        }
    }
}
