"""Times the query that dataset cards show, over the index of a dataset and over one file with the same rows that DuckDB
writes, in turn: indextime.py DIR ROUNDS. Prints median seconds, and median CPU seconds: of the files, of the one file.
"""

import statistics
import sys
import time

import duckdb

directory, rounds = sys.argv[1], int(sys.argv[2])
files, one = f"{directory}/index/*/*.parquet", f"{directory}/one.parquet"
QUERY = "SELECT stream, outcome, count(*) FROM read_parquet($rows) GROUP BY ALL"
duckdb.execute(f"COPY (FROM read_parquet('{files}')) TO '{one}' (COMPRESSION zstd)")


def run(rows):
    began, cpu = time.perf_counter(), time.process_time()
    found = duckdb.execute(QUERY, {"rows": rows}).fetchall()
    return time.perf_counter() - began, time.process_time() - cpu, sorted(found)


took = {files: [], one: []}
for i in range(rounds + 1):
    found = {rows: run(rows) for rows in sorted(took, reverse=i % 2 == 0)}
    if found[files][2] != found[one][2]:
        raise ValueError(f"{found[files][2]} in the files, {found[one][2]} in one")
    if i:  # the first round fills the page cache
        for rows, result in found.items():
            took[rows].append(result)
print(*(statistics.median(result[n] for result in took[rows]) for n in (0, 1) for rows in (files, one)))
