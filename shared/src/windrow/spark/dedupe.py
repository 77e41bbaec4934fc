"""Law 7 in Spark: rows with the same record id are one record."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 what all of Spark's users call it

from windrow.lake.schema import BATCH, ORDINAL, RECEIVED_AT
from windrow.spec import StreamSpec


def deduplicate(rows: DataFrame, spec: StreamSpec) -> DataFrame:
    """One row per record id: by default the one received last, ties by batch and position."""
    order: list[Column] = [F.col(name) for name in (RECEIVED_AT, BATCH, ORDINAL)]
    if spec.keep == "last":
        order = [column.desc() for column in order]
    copies = Window.partitionBy(*spec.identity).orderBy(*order)
    return rows.withColumn("__copy", F.row_number().over(copies)).filter(F.col("__copy") == 1).drop("__copy")
