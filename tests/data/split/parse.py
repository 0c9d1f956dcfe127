"""Reads a JSON list of SQL statements and says of each what Spark's parser makes of it.

Only the parser is started: no session, no catalog, nothing runs. The answer is a JSON list with, for
each statement, `error` (the parser's message, or null) and `writes` (whether its plan writes data).
"""

import json
import re
import sys

from py4j.protocol import Py4JJavaError
from pyspark.java_gateway import launch_gateway

WRITES = re.compile(
    r"InsertInto|CreateTableAsSelect|ReplaceTableAsSelect|UpdateTable|DeleteFromTable"
    r"|MergeIntoTable|TruncateTable|LoadData"
)


def verdict(parser, statement):
    try:
        plan = parser.parsePlan(statement)
    except Py4JJavaError as error:
        return {"error": error.java_exception.getMessage(), "writes": False}
    explains = plan.getClass().getSimpleName() == "ExplainCommand"
    return {"error": None, "writes": not explains and bool(WRITES.search(plan.treeString()))}


def main():
    statements = json.load(sys.stdin)
    gateway = launch_gateway()
    try:
        parser = gateway.jvm.org.apache.spark.sql.execution.SparkSqlParser()
        json.dump([verdict(parser, statement) for statement in statements], sys.stdout)
    finally:
        gateway.shutdown()


if __name__ == "__main__":
    main()
