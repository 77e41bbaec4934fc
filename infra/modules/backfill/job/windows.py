"""Every window of one definition, computed on a cluster from the records table. The README says how to submit it.

The rows go to a folder of Parquet files of their own, not to Windrow's tables: only the writer commits those.
"""

import argparse
import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession

from windrow import spark, spec
from windrow.errors import WindrowError


def main(arguments: Sequence[str]) -> int:
    """Compute and write; the exit code. 2: something is wrong with what was asked for, and one sentence says what."""
    parser = argparse.ArgumentParser(description="Compute the windows of one definition from a stream's records table.")
    parser.add_argument(
        "--spec", required=True, help="the stream's spec: s3://…/config/streams/<stream>/<version>.yaml"
    )
    parser.add_argument("--window", required=True, help="name of the window in the spec")
    parser.add_argument("--records", required=True, help="the records table: s3://…/lake/<stream>/records")
    parser.add_argument("--format", default="delta", help="format of the records (default: delta)")
    parser.add_argument("--to", required=True, help="a new folder for the rows: s3://…/backfills/<name>")
    asked = parser.parse_args(arguments)
    session = SparkSession.builder.appName(f"windrow {asked.window}").getOrCreate()
    try:
        compute(session, asked)
    except WindrowError as error:
        sys.stderr.write(f"nothing was written: {error}\n")
        return 2
    return 0


def compute(session: SparkSession, asked: argparse.Namespace) -> None:
    """Read, compute, write. Fails if the folder is there already: two runs never mix."""
    [text] = (row.value for row in session.read.text(asked.spec, wholetext=True).collect())
    stream = spec.parse(text, asked.spec)
    if asked.window not in stream.windows:
        names = ", ".join(sorted(stream.windows))
        raise WindrowError(f"{stream.stream} has no window {asked.window!r}; it has {names}")
    records = spark.deduplicate(session.read.format(asked.format).load(asked.records), stream)
    spark.compute(records, stream, stream.windows[asked.window]).write.mode("error").parquet(asked.to)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
