"""What is fetched."""

# Five columns as a notebook's author has them: a number, an amount, a name, an instant, a truth. In parts that a small driver keeps in memory:
# Spark loses results of tasks that it has to drop ("TaskResultLost").
ROWS = """SELECT id, CAST(id % 997 AS DOUBLE) / 7 AS amount, concat('name ', id % 1000) AS name,
    timestamp_seconds(1700000000 + id) AS at, id % 3 = 0 AS flag FROM range(0, {count}, 1, 16)"""
