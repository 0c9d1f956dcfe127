//! A table as data: a Frictionless Tabular Data Resource, for front ends that draw tables themselves.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use jupyter_protocol::TabularDataResource;
use jupyter_protocol::datatable::{FieldFormat, FieldType, TableSchema, TableSchemaField};
use serde_json::{Map, Value};

use super::super::types::{is_variant, spark_type};
use super::super::value::Column;
use super::super::zone::Zone;

/// Cells of a table that is also given as data. Every table stands in the notebook as often as it
/// has forms.
const MOST_CELLS: usize = 5_000;

/// Bytes of such a table in memory.
const MOST_BYTES: usize = 200_000;

/// The table as data, where it is small.
pub(super) fn of(
    schema: &Schema,
    batches: &[RecordBatch],
    zone: &Zone,
) -> Option<TabularDataResource> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let columns = schema.fields().len();
    if columns == 0 || rows * columns > MOST_CELLS || size(batches) > MOST_BYTES {
        return None;
    }
    let fields = fields(schema);
    let mut data = Vec::with_capacity(rows);
    for batch in batches {
        let readers: Vec<Column<'_>> = std::iter::zip(schema.fields(), batch.columns())
            .map(|(field, array)| Column::new(field, array.as_ref(), zone))
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Map<String, Value> = std::iter::zip(&fields, &readers)
                .map(|(field, reader)| (field.name.clone(), reader.json(row)))
                .collect();
            data.push(Value::Object(cells));
        }
    }
    Some(TabularDataResource {
        profile: Some("tabular-data-resource".to_owned()),
        schema: TableSchema {
            fields,
            // An empty text is one, which it is not unless this says so.
            missing_values: Some(Vec::new()),
            ..TableSchema::default()
        },
        data: Some(data),
        ..TabularDataResource::default()
    })
}

fn size(batches: &[RecordBatch]) -> usize {
    let columns = batches.iter().flat_map(RecordBatch::columns);
    let sizes = columns.map(|column| column.to_data().get_slice_memory_size());
    sizes
        .map(|size| size.unwrap_or(usize::MAX))
        .fold(0, usize::saturating_add)
}

/// The fields, each with a name of its own: Spark lets columns share one, a row of JSON does not.
fn fields(schema: &Schema) -> Vec<TableSchemaField> {
    let mut fields: Vec<TableSchemaField> = Vec::with_capacity(schema.fields().len());
    let mut taken = std::collections::HashSet::new();
    for field in schema.fields() {
        let mut name = field.name().clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}_{number}", field.name());
        }
        let (field_type, format) = kind(field);
        fields.push(TableSchemaField {
            title: (name != *field.name()).then(|| field.name().clone()),
            name,
            description: Some(spark_type(field)),
            field_type,
            format,
            ..TableSchemaField::default()
        });
    }
    fields
}

/// Table Schema's type and format of a column. What has no equal there is text as Spark writes it.
fn kind(field: &Field) -> (FieldType, Option<FieldFormat>) {
    let plain = |kind| (kind, None);
    match field.data_type() {
        DataType::Boolean => plain(FieldType::Boolean),
        data_type if data_type.is_integer() => plain(FieldType::Integer),
        data_type if data_type.is_numeric() => plain(FieldType::Number),
        data_type if data_type.is_binary() => (FieldType::String, Some(FieldFormat::Binary)),
        DataType::Date32 => plain(FieldType::Date),
        // The default format has whole seconds and universal time alone.
        DataType::Timestamp(..) => (FieldType::Datetime, Some(FieldFormat::Any)),
        DataType::Time64(_) => (FieldType::Time, Some(FieldFormat::Any)),
        DataType::List(_) => plain(FieldType::Array),
        DataType::Struct(_) if is_variant(field) => plain(FieldType::String),
        DataType::Struct(_) | DataType::Map(..) => plain(FieldType::Object),
        DataType::Null => plain(FieldType::Any),
        _ => plain(FieldType::String),
    }
}

#[cfg(test)]
mod tests;
