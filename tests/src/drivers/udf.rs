//! A Python function that runs in Spark's workers, without a Python client.

use std::process::Command;

use firesteel_session::proto;
use firesteel_session::proto::common_inline_user_defined_function::Function;
use firesteel_session::proto::expression::ExprType;
use firesteel_session::proto::relation::RelType;
use prost::bytes::Bytes;

use super::runtime;

/// Spark's number of a Python function that takes and gives rows one by one.
const SQL_BATCHED_UDF: i32 = 100;

/// A plan that calls `body`, Python lines that define `f(n)` and return text, once.
///
/// # Panics
/// When the runtime's Python cannot pickle it.
pub fn plan(body: &str) -> proto::Plan {
    let pickle = format!(
        "import sys\nfrom pyspark.cloudpickle import dumps\nfrom pyspark.sql.types import StringType\n{body}\n\
         sys.stdout.buffer.write(dumps((f, StringType())))\n"
    );
    let python = runtime().unwrap().python;
    let output = Command::new(&python)
        .args(["-c", &pickle])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let version = Command::new(&python)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .output()
        .unwrap();

    let text = proto::DataType {
        kind: Some(proto::data_type::Kind::String(
            proto::data_type::String::default(),
        )),
    };
    let function = proto::CommonInlineUserDefinedFunction {
        function_name: "f".to_owned(),
        deterministic: true,
        arguments: vec![column("id")],
        function: Some(Function::PythonUdf(proto::PythonUdf {
            output_type: Some(text),
            eval_type: SQL_BATCHED_UDF,
            command: Bytes::from(output.stdout),
            python_ver: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            ..proto::PythonUdf::default()
        })),
        ..proto::CommonInlineUserDefinedFunction::default()
    };
    let one_row = relation(RelType::Range(proto::Range {
        start: Some(0),
        end: 1,
        step: 1,
        num_partitions: Some(1),
    }));
    let project = relation(RelType::Project(Box::new(proto::Project {
        input: Some(Box::new(one_row)),
        expressions: vec![expression(ExprType::CommonInlineUserDefinedFunction(
            function,
        ))],
    })));
    proto::Plan {
        op_type: Some(proto::plan::OpType::Root(project)),
    }
}

fn column(name: &str) -> proto::Expression {
    expression(ExprType::UnresolvedAttribute(
        proto::expression::UnresolvedAttribute {
            unparsed_identifier: name.to_owned(),
            ..Default::default()
        },
    ))
}

fn expression(kind: ExprType) -> proto::Expression {
    proto::Expression {
        expr_type: Some(kind),
        ..proto::Expression::default()
    }
}

fn relation(kind: RelType) -> proto::Relation {
    proto::Relation {
        rel_type: Some(kind),
        ..proto::Relation::default()
    }
}
