"""The indicators' statements in DuckDB: reads a line of settings, then a line for each run; answers each with a line.

It must compute exactly what is asked of the other side: the same statements over the same files, with nothing kept between runs.
"""

import json
import resource
import sys
import time

import duckdb

settings = json.loads(sys.stdin.readline())
FILES = ", ".join("'" + file.replace("'", "''") + "'" for file in settings["files"])
COUNTED = "SELECT key, sum(good), sum(total), sum(excluded) FROM own GROUP BY key"
BUCKETS = "SELECT key, bucket, sum(measured) FROM own WHERE bucket >= 0 GROUP BY key, bucket ORDER BY key, bucket"


def run(column):
    connection = duckdb.connect()
    connection.execute(f"SET threads = {settings['threads']}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW contributions AS SELECT * FROM read_parquet([{FILES}])")
    answers = []
    for indicator in settings["indicators"]:
        connection.execute(
            f"CREATE OR REPLACE VIEW own AS SELECT {column} AS key, minute, team, environment, repository, label, bucket, "
            "good, total, excluded, measured, sum_us, seen FROM contributions "
            f"WHERE indicator = '{indicator['code']}' AND minute >= TIMESTAMPTZ '{settings['from']}' "
            f"AND minute < TIMESTAMPTZ '{settings['to']}'"
        )
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
    start = time.perf_counter()
    answers = run(line.strip())
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": most, "answers": answers}), flush=True)
