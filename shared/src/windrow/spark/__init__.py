"""The same window definitions compiled to Spark, for data that one machine does not hold.

    from windrow import spark, spec

    stream = spec.parse(text, "climate.yaml")
    records = spark.deduplicate(session.read.format("delta").load("s3://bucket/lake/climate/records"), stream)
    daily = spark.compute(records, stream, stream.windows["daily"])
    daily.write.format("delta").save("s3://bucket/lake/climate/windows_daily")

On EMR this is a step like any other: a cluster with Delta (`spark-defaults`: `spark.sql.extensions` is
`io.delta.sql.DeltaSparkSessionExtension`, `spark.sql.catalog.spark_catalog` is
`org.apache.spark.sql.delta.catalog.DeltaCatalog`), the package `windrow[spark]` in the archive that `--archives` ships,
and the script above. Only the driver runs Python: everything compiles to Spark SQL, and executors need nothing but
Spark. Neither the session's time zone nor its ANSI setting changes a row.

The rows are those of `windrow.windows.engine.compute`, in no order, save for two things:

- Sums of floats are added in whatever order they come, so they (and mean, std, var, integral, increase …) may differ
  from the exact ones in the last digits: by less than 1e-9 of the largest magnitude that went in. std and var are
  computed in floats whatever the column, so they do not tell integers beyond 2^53 apart. All other integers and
  decimals are added exactly.
- `approx_quantile` is Spark's own `percentile_approx` at accuracy 10 000: a value of the window whose rank is at most
  0.01 % of the rows off. `approx_n_unique` is a HyperLogLog of 2^12 registers: standard error 1.04/sqrt(4096) = 1.6 %.

Numbers that add up to more than their type holds fail the job, with the sentence of the engine, when the result is
read: Spark computes nothing before.
"""

from windrow.spark.compile import compute
from windrow.spark.dedupe import deduplicate

__all__ = ["compute", "deduplicate"]
