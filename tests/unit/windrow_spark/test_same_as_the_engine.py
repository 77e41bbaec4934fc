"""Spark makes the rows of the engine, over definitions of all kinds."""

import pytest
from pyspark.sql import SparkSession

from tests.unit.windrow_spark.frames import NO_KEYS, STREAM, differences, in_order, table, to_spark, window
from tests.unit.windrow_spark.generated import case
from windrow.spark import compute
from windrow.windows import engine

_CASES = 36


@pytest.mark.parametrize("number", range(_CASES))
def test_a_definition_makes_the_same_rows_in_spark(spark: SparkSession, number: int) -> None:
    drawn = case(number)
    stream, definition = STREAM if drawn.keys else NO_KEYS, window(**drawn.settings)
    expected = engine.compute(drawn.rows, stream, definition)
    found = table(compute(to_spark(spark, drawn.rows), stream, definition))

    assert found.columns == expected.columns, str(drawn)
    assert differences(in_order(expected.rows()), in_order(found.rows()))[:3] == [], str(drawn)


def test_the_definitions_make_rows() -> None:
    heights = [
        engine.compute(drawn.rows, STREAM, window(**drawn.settings)).height for drawn in map(case, range(_CASES))
    ]
    assert sum(height > 5 for height in heights) > 0.8 * _CASES, heights
