"""The types of the tables as Spark has them."""

import polars as pl
from pyspark.sql import types as spark


def spark_type(kind: pl.DataType) -> spark.DataType:
    """The Spark type that holds the values of a polars type; an array has no fixed length in Spark."""
    match kind:
        case pl.Decimal():
            return spark.DecimalType(kind.precision, kind.scale)
        case pl.List() | pl.Array():
            inner = kind.inner
            assert isinstance(inner, pl.DataType)
            return spark.ArrayType(spark_type(inner))
        case pl.Int64():
            return spark.LongType()
        case pl.Float64():
            return spark.DoubleType()
        case pl.Boolean():
            return spark.BooleanType()
        case pl.Date():
            return spark.DateType()
        case pl.Datetime():
            return spark.TimestampType()
        case pl.String():
            return spark.StringType()
        case _:
            raise TypeError(kind)
