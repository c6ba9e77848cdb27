"""The indicators' statements in DuckDB: reads a line of settings, then a line for each run; answers each with a line.

A run either asks the files anew for each indicator, or adds them up once for all of them, as the other side does. It must compute
exactly what is asked of the other side: the same statements over the same files, with nothing kept between runs.
"""

import json
import resource
import sys
import time

import duckdb

settings = json.loads(sys.stdin.readline())
FILES = ", ".join("'" + file.replace("'", "''") + "'" for file in settings["files"])
ASKED = f"minute >= TIMESTAMPTZ '{settings['from']}' AND minute < TIMESTAMPTZ '{settings['to']}'"
COUNTED = "SELECT key, sum(good), sum(total), sum(excluded) FROM own GROUP BY key"
SUMS = "good, total, excluded, measured, sum_us, seen"
BUCKETS = "SELECT key, bucket, sum(measured) FROM own WHERE bucket >= 0 GROUP BY key, bucket ORDER BY key, bucket"


def own(indicator, column, is_folded):
    if is_folded:
        return f"SELECT * FROM folded WHERE indicator = '{indicator['code']}'"
    return (
        f"SELECT {column} AS key, label, bucket, {SUMS} FROM contributions WHERE indicator = '{indicator['code']}' AND {ASKED}"
    )


def run(column, is_folded):
    connection = duckdb.connect()
    connection.execute(f"SET threads = {settings['threads']}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW contributions AS SELECT * FROM read_parquet([{FILES}])")
    if is_folded:
        sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS.split(", "))
        connection.execute(
            f"CREATE TABLE folded AS SELECT indicator, {column} AS key, label, bucket, {sums} FROM contributions "
            f"WHERE {ASKED} GROUP BY 1, 2, 3, 4"
        )
    answers = []
    for indicator in settings["indicators"]:
        connection.execute(f"CREATE OR REPLACE VIEW own AS {own(indicator, column, is_folded)}")
        found = connection.execute(indicator["sql"])
        names = [name for name, *_ in found.description]
        key, value = names.index("key"), names.index("value")
        values = [[row[key], row[value]] for row in found.fetchall()]
        counted = [[row[0], *map(int, row[1:])] for row in connection.execute(COUNTED).fetchall()]
        buckets = []
        if indicator["is_duration"]:
            buckets = [[row[0], row[1], int(row[2])] for row in connection.execute(BUCKETS).fetchall()]
        answers.append({"values": values, "counted": counted, "buckets": buckets})
    connection.close()
    return answers


for line in sys.stdin:
    asked = json.loads(line)
    start = time.perf_counter()
    answers = run(asked["column"], asked["is_folded"])
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": most, "answers": answers}), flush=True)
