"""One Spark session for all tests that want one, which takes seconds to start and needs Java.

Without Java these tests are skipped with the reason; with WINDROW_REQUIRE_SPARK=1 in the environment they fail instead.
"""

import os
import shutil
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_REQUIRED = os.environ.get("WINDROW_REQUIRE_SPARK") == "1"  # read before tests scrub the environment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))  # sockets to the JVM
            item.add_marker(pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"))
            item.add_marker(pytest.mark.xdist_group("spark"))  # one Java for all
            item.add_marker(pytest.mark.may_skip("needs Java, which no other part of Windrow does"))


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkSession"]:
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        reason = "Spark needs Java, and there is none on the PATH nor a JAVA_HOME"
        if _REQUIRED:
            pytest.fail(f"{reason}, and WINDROW_REQUIRE_SPARK is set")
        pytest.skip(reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = _session()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def _session() -> "SparkSession":
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # quick to start, not to run long
        "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Compiling plans to bytecode takes longer than running them over a few rows.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("windrow")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
