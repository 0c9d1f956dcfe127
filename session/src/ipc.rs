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
