"""`windrow window`, as a person runs it: files in, windows out, and nothing running."""

import bz2
import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.unit.windrow_cli.conftest import Ran, Windrow
from windrow.cases import parse_cases
from windrow.lake.schema import result_schema
from windrow.quarantine import decode_lines
from windrow.spec import parse
from windrow_cli.specs import CASES_SUFFIX, spec_files

SPEC = """
stream: sensors
time: {column: ts, formats: [iso8601]}
keys: [sensor]
unique: [sensor, ts]
columns:
  ts: timestamp
  sensor: string
  temperature: {type: float, required: true}
  humidity: int
windows:
  every_minute:
    size: 1m
    aggregates: {mean: mean(temperature), last: last(humidity)}
"""
MORE = """\
  visits: {kind: session, gap: 30s, aggregates: {n: count}}
  pairs: {kind: count, length: 2, aggregates: {sum: sum(temperature)}}
  back: {kind: pairwise, size: 1m, aggregates: {n: count}}
  steps: {kind: sequence, step: 1m, length: 3, mask: true, aggregates: {mean: mean(temperature)}}
"""
READINGS = [
    {"ts": "2026-01-01T00:00:10Z", "sensor": "a", "temperature": 20.0, "humidity": 40},
    {"ts": "2026-01-01T00:00:30Z", "sensor": "a", "temperature": 22.0, "humidity": 41},
    {"ts": "2026-01-01T00:01:00Z", "sensor": "a", "temperature": 25.0, "humidity": None},
    {"ts": "2026-01-01T00:00:59.999999Z", "sensor": "b", "temperature": 19.5, "humidity": 50},
]
EXAMPLES = Path(__file__).parents[3] / "examples"


def _lines(readings: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in readings)


def _csv(readings: list[dict[str, object]], separator: str = ",") -> bytes:
    rows = [["" if value is None else str(value) for value in each.values()] for each in readings]
    return "".join(separator.join(row) + "\n" for row in [list(readings[0]), *rows]).encode()


def _geojson(readings: list[dict[str, object]]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": readings}).encode()


def _frame(readings: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(readings).with_columns(pl.col("ts").str.to_datetime(time_zone="UTC", time_unit="us"))


def _parquet(readings: list[dict[str, object]]) -> bytes:
    buffer = io.BytesIO()
    _frame(readings).write_parquet(buffer)
    return buffer.getvalue()


def _arrow(readings: list[dict[str, object]]) -> bytes:
    buffer = io.BytesIO()
    _frame(readings).write_ipc(buffer)
    return buffer.getvalue()


def _zip(body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readings.csv", body)
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "r.ndjson": lambda: _lines(READINGS),
    "r.json": lambda: json.dumps(READINGS).encode(),
    "r.geojson": lambda: _geojson(READINGS),
    "r.csv": lambda: _csv(READINGS),
    "r.tsv": lambda: _csv(READINGS, "\t"),
    "r.parquet": lambda: _parquet(READINGS),
    "r.arrow": lambda: _arrow(READINGS),
    "r.csv.gz": lambda: gzip.compress(_csv(READINGS)),
    "r.ndjson.zst": lambda: zstandard.compress(_lines(READINGS)),
    "r.json.bz2": lambda: bz2.compress(json.dumps(READINGS).encode()),
    "r.zip": lambda: _zip(_csv(READINGS)),
}


@pytest.fixture(autouse=True)
def _files(windrow: Windrow) -> None:
    Path("sensors.yaml").write_text(SPEC)
    Path("more.yaml").write_text(SPEC + MORE)
    Path("r.ndjson").write_bytes(_lines(READINGS))


def _as_table(records: pl.DataFrame) -> pl.DataFrame:
    """Records as a stream's table and its segments hold them."""
    return records.with_columns(
        pl.lit("b" * 32).alias("_batch"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("_ordinal"),
        pl.datetime(2026, 1, 2, time_zone="UTC").alias("_received_at"),
    )


def _rows(ran: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.out.splitlines()]


# ------------------------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize("name", FILES)
def test_every_format_that_the_services_read_gives_the_same_windows(windrow: Windrow, name: str) -> None:
    spec = SPEC.replace("time:", "format: {json: {records: features}}\ntime:") if name.endswith(".geojson") else SPEC
    Path("sensors.yaml").write_text(spec)
    Path(name).write_bytes(FILES[name]())
    ran = windrow("window", "sensors.yaml", name, "--json")

    assert (ran.code, ran.err) == (0, "4 records in 1 file\n")
    first, second, third = _rows(ran)
    assert first == {
        "_window": "every_minute",
        "sensor": "a",
        "window_start": "2026-01-01T00:00:00Z",
        "window_end": "2026-01-01T00:01:00Z",
        "mean": 21.0,
        "last": 41,
        "row_count": 2,
    }
    assert (second["window_start"], second["mean"], second["last"]) == ("2026-01-01T00:01:00Z", 25.0, None)
    assert (third["sensor"], third["row_count"]) == ("b", 1)


def test_a_record_in_several_files_counts_once_and_the_file_named_last_is_right(windrow: Windrow) -> None:
    Path("z.ndjson").write_bytes(_lines([{**READINGS[0], "temperature": 30.0}]))
    corrected = windrow("window", "sensors.yaml", "r.ndjson", "z.ndjson", "--json")
    outdated = windrow("window", "sensors.yaml", "z.ndjson", "r.ndjson", "--json")

    assert corrected.err == "5 records in 2 files: 1 there twice\n"
    assert (_rows(corrected)[0]["mean"], _rows(corrected)[0]["row_count"]) == (26.0, 2)
    assert _rows(outdated)[0]["mean"] == 21.0


def test_without_unique_every_record_counts(windrow: Windrow) -> None:
    Path("sensors.yaml").write_text(SPEC.replace("unique: [sensor, ts]\n", ""))
    ran = windrow("window", "sensors.yaml", "r.ndjson", "r.ndjson", "--json")

    assert ran.err == "8 records in 2 files\n"
    assert [row["row_count"] for row in _rows(ran)] == [4, 2, 2]


def test_records_out_of_a_streams_table_are_taken_as_they_are(windrow: Windrow) -> None:
    Path("sensors.yaml").write_text(
        SPEC.replace("unique: [sensor, ts]\n", "").replace("humidity: int", "humidity: {type: int, source: hum}")
    )
    _as_table(_frame(READINGS)).write_parquet("records.parquet")
    ran = windrow("window", "sensors.yaml", "records.parquet", "--json")
    again = windrow("window", "sensors.yaml", "records.parquet", "records.parquet", "--json")

    assert [row["last"] for row in _rows(ran)] == [41, None, 50]
    assert again.err == "8 records in 2 files: 4 there twice\n"
    assert again.out == ran.out


def test_a_table_of_another_stream_is_not_taken(windrow: Windrow) -> None:
    _as_table(pl.DataFrame({"other": [1]})).write_parquet("records.parquet")
    ran = windrow("window", "sensors.yaml", "records.parquet")

    assert (ran.code, ran.out) == (2, "")
    assert "records.parquet: holds records without 'ts'; is it a table of another stream?" in ran.err


def test_a_file_of_several_parts_counts_every_record(windrow: Windrow) -> None:
    count = 400_000
    moments = pl.datetime_range(
        pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1) + pl.duration(milliseconds=(count - 1) * 100), "100ms"
    )
    lines = pl.select(moments.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias("ts"))
    lines.with_columns(sensor=pl.lit("sensor-with-a-rather-long-name"), temperature=pl.lit(1.5)).write_ndjson(
        "l.ndjson"
    )
    assert Path("l.ndjson").stat().st_size > 7 * (4 << 20)
    ran = windrow("window", "sensors.yaml", "l.ndjson", "--json")

    assert ran.err == "400,000 records in 1 file\n"
    assert {row["row_count"] for row in _rows(ran)[:-1]} == {600}
    assert sum(row["row_count"] for row in _rows(ran)) == count


def test_a_record_that_is_refused_costs_only_itself(windrow: Windrow) -> None:
    Path("r.ndjson").write_bytes(_lines(READINGS[:1]) + b'{"ts": "soon", "sensor": "a", "temperature": 1}\noops\n')
    ran = windrow("window", "sensors.yaml", "r.ndjson", "--json", "--rejects", "refused.ndjson")

    assert (ran.code, [row["row_count"] for row in _rows(ran)]) == (1, [1])
    title, first, second, wrote = ran.err.splitlines()
    assert title == "3 records in 1 file: 2 refused"
    assert first.startswith("  r.ndjson:2: bad_time: column 'ts'")
    assert second.startswith("  r.ndjson:3:1: malformed_json: ")
    assert wrote == "wrote refused.ndjson: 2 records"
    kept = decode_lines(Path("refused.ndjson").read_bytes())
    assert [(each.batch, each.reject.line, each.raw()) for each in kept] == [
        ("r.ndjson", 2, b'{"ts": "soon", "sensor": "a", "temperature": 1}'),
        ("r.ndjson", 3, b"oops"),
    ]


def test_of_many_refused_records_the_first_are_shown(windrow: Windrow) -> None:
    Path("bad.csv").write_bytes(_csv([{**READINGS[0], "temperature": "\x1b[31mwarm"}] * 12))
    ran = windrow("window", "sensors.yaml", "bad.csv", "--json")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("wrong_type") == 5
    assert ran.err.endswith("… and 7 more (--rejects FILE has all of them)\n")
    assert "\x1b" not in ran.err


def test_when_records_count_as_received_can_be_set(windrow: Windrow) -> None:
    ran = windrow("window", "sensors.yaml", "r.ndjson", "--json", "--received", "2025-12-31T00:00:00")

    assert (ran.code, ran.out) == (1, "")
    assert "4 refused" in ran.err
    assert "time_in_future" in ran.err


def test_records_on_standard_input_say_their_format(windrow: Windrow) -> None:
    command = [sys.executable, "-m", "windrow_cli.main", "window", "sensors.yaml", "-", "--json"]
    ran = subprocess.run(
        [*command, "--format", "csv"], input=_csv(READINGS), capture_output=True, timeout=60, check=False
    )
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 3)

    ran = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"standard input: its name does not say what it holds" in ran.stderr


# ------------------------------------------------------------------------------------------------ which windows


def test_all_windows_are_computed_unless_some_are_chosen(windrow: Windrow) -> None:
    names = ["every_minute", "visits", "pairs", "back", "steps"]
    everything = _rows(windrow("window", "more.yaml", "r.ndjson", "--json"))
    chosen = _rows(windrow("window", "more.yaml", "r.ndjson", "--json", "--window", "pairs", "-w", "visits"))

    assert list(dict.fromkeys(row["_window"] for row in everything)) == names
    assert list(dict.fromkeys(row["_window"] for row in chosen)) == ["pairs", "visits"]
    assert [row["sum"] for row in chosen if row["_window"] == "pairs"] == [42.0]
    assert [row["n"] for row in chosen if row["_window"] == "visits"] == [3, 1]
    assert [row["n"] for row in everything if row["_window"] == "back"] == [1, 2, 3, 1]


def test_a_window_that_the_spec_does_not_define_is_pointed_out(windrow: Windrow) -> None:
    ran = windrow("window", "sensors.yaml", "r.ndjson", "--window", "evry_minute")
    far = windrow("window", "more.yaml", "r.ndjson", "--window", "xxx")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "windrow: sensors has no window 'evry_minute'; did you mean every_minute?\n"
    assert "there are every_minute, visits, pairs, back, steps" in far.err


def test_a_spec_without_windows_is_pointed_out(windrow: Windrow) -> None:
    Path("none.yaml").write_text(SPEC[: SPEC.index("windows:")])
    ran = windrow("window", "none.yaml", "r.ndjson")

    assert (ran.code, ran.err) == (2, "windrow: sensors defines no windows; add some to its spec, under `windows`\n")


# ------------------------------------------------------------------------------------------------ results


@pytest.mark.parametrize("name", ["w.parquet", "w.csv", "w.json", "w.ndjson", "W.CSV"])
def test_the_ending_of_the_output_says_its_format(windrow: Windrow, name: str) -> None:
    ran = windrow("window", "sensors.yaml", "r.ndjson", "--output", name)

    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"4 records in 1 file\nwrote {name}: 3 rows\n"
    if name.endswith(".parquet"):
        found = pl.read_parquet(name).to_dicts()
    elif name.lower().endswith(".csv"):
        found = list(csv.DictReader(io.StringIO(Path(name).read_text())))
    elif name.endswith(".json"):
        found = json.loads(Path(name).read_text())
    else:
        found = [json.loads(line) for line in Path(name).read_text().splitlines()]
    assert [(row["sensor"], float(row["mean"])) for row in found] == [("a", 21.0), ("a", 25.0), ("b", 19.5)]


def test_several_windows_go_to_a_file_each(windrow: Windrow) -> None:
    one = windrow("window", "more.yaml", "r.ndjson", "--output", "w.csv")
    assert (one.code, one.out) == (2, "")
    assert "there are 5 windows (every_minute, visits, pairs, back, steps)" in one.err
    assert "--output 'w-{window}.csv'" in one.err
    assert not Path("w.csv").exists()

    each = windrow("window", "more.yaml", "r.ndjson", "--output", "w-{window}.csv")
    assert each.code == 0
    assert sorted(path.name for path in Path().glob("w-*")) == [
        "w-back.csv", "w-every_minute.csv", "w-pairs.csv", "w-steps.csv", "w-visits.csv",
    ]  # fmt: skip


def test_sequences_are_arrays_in_parquet_and_json_text_in_csv(windrow: Windrow) -> None:
    for name in ("s.parquet", "s.csv"):
        assert windrow("window", "more.yaml", "r.ndjson", "--window", "steps", "-o", name).code == 0

    kind = pq.read_schema("s.parquet").field("mean").type
    assert (str(kind.value_type), kind.list_size) == ("double", 3)
    assert pl.read_parquet("s.parquet").schema["mean_mask"] == pl.Array(pl.Boolean(), 3)
    assert pl.read_parquet("s.parquet")["mean"].to_list() == [[21.0, 25.0, None], [19.5, None, None]]
    first = next(csv.DictReader(io.StringIO(Path("s.csv").read_text())))
    assert (json.loads(first["mean"]), json.loads(first["mean_mask"])) == ([21.0, 25.0, None], [True, True, False])


def test_people_see_the_first_rows_of_each_window(windrow: Windrow) -> None:
    ran = windrow("window", "more.yaml", "r.ndjson", "--rows", "1")

    assert ran.code == 0
    assert ran.err == "4 records in 1 file\n"
    for name in ("every_minute", "visits", "pairs", "back", "steps"):
        assert f"{name} " in ran.out
    assert "2026-01-01 00:00:00" in ran.out
    assert "[21, 25, null]" in ran.out
    assert "… and 2 more (--rows 3, or --output FILE)" in ran.out
    assert "2026-01-01 00:01:00" in ran.out
    assert "19.5" not in ran.out


def test_nothing_is_coloured_and_no_bar_is_drawn_where_a_program_reads(windrow: Windrow) -> None:
    command = [sys.executable, "-m", "windrow_cli.main", "window", "more.yaml", "r.ndjson"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert ran.returncode == 0
    assert b"\x1b" not in ran.stdout + ran.stderr
    assert ran.stderr == b"4 records in 1 file\n"


def test_a_file_without_records_gives_no_rows_and_every_column(windrow: Windrow) -> None:
    Path("none.csv").write_text("ts,sensor,temperature,humidity\n")
    assert windrow("window", "more.yaml", "none.csv", "--json").out == ""
    assert windrow("window", "more.yaml", "none.csv", "-o", "{window}.parquet").code == 0

    empty = pl.read_parquet("every_minute.parquet")
    assert (empty.height, empty.columns) == (
        0, ["sensor", "window_start", "window_end", "mean", "last", "row_count"],
    )  # fmt: skip
    assert pl.read_parquet("steps.parquet").schema["mean"] == pl.Array(pl.Float64(), 3)


# ------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sensors.yaml"], "give at least one file, or - for standard input"),
        (["sensors.yaml", "nothing.csv"], "nothing.csv: cannot be read: No such file or directory"),
        (["sensors.yaml", "notes.txt"], "notes.txt: its name does not say what it holds"),
        (["sensors.yaml", "."], ".: is a folder; name the files in it"),
        (["sensors.yaml", "broken.parquet"], "broken.parquet: the file is not Parquet that can be read"),
        (["sensors.yaml", "broken.csv.gz"], "broken.csv.gz: the body is not gzip"),
        (["sensors.yaml", "empty.csv"], "empty.csv: the object is empty"),
        (["sensors.yaml", "r.ndjson", "-o", "w.xlsx"], "w.xlsx: its name does not say a format; use .parquet, .csv"),
        (["sensors.yaml", "r.ndjson", "-o", "no/w.csv"], "no/w.csv: cannot be written: No such file or directory"),
        (["sensors.yaml", "r.ndjson", "-o", "r.ndjson"], "r.ndjson: is one of the files to read"),
        (["sensors.yaml", "r.ndjson", "--rejects", "r.ndjson"], "r.ndjson: is one of the files to read"),
        (["sensors.yaml", "r.ndjson", "-o", "w.csv", "--json"], "--json prints to standard output"),
        (["sensors.yaml", "r.ndjson", "--received", "soon"], "soon"),
        (["nothing.yaml", "r.ndjson"], "nothing.yaml: 1 fault\n  - cannot be read"),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence(windrow: Windrow, arguments: list[str], message: str) -> None:
    Path("notes.txt").write_text("x")
    Path("broken.parquet").write_bytes(b"PAR1")
    Path("broken.csv.gz").write_bytes(b"nothing of the kind")
    Path("empty.csv").write_bytes(b"")
    ran = windrow("window", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert "unexpected" not in ran.err
    assert Path("r.ndjson").read_bytes() == _lines(READINGS)


def test_sums_that_no_column_can_hold_name_their_window(windrow: Windrow) -> None:
    Path("big.yaml").write_text(SPEC.replace("mean: mean(temperature)", "sum: sum(humidity)"))
    Path("big.ndjson").write_bytes(_lines([{**each, "humidity": 2**63 - 1} for each in READINGS]))
    ran = windrow("window", "big.yaml", "big.ndjson")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("windrow: every_minute: ")


# ------------------------------------------------------------------------------------------------ examples


def _samples() -> list[tuple[Path, Path]]:
    """Every example that has a file of records, which its cases name."""
    found = []
    for path in spec_files([EXAMPLES]):
        cases = path.with_name(path.stem + CASES_SUFFIX)
        files = {case.file for case in parse_cases(cases.read_text(), cases.name) if case.file}
        found += [(path, path.parent / file) for file in sorted(files)]
    return found


@pytest.mark.parametrize(("spec", "sample"), _samples(), ids=lambda path: path.name)
def test_the_windows_of_every_example_are_computed_of_its_sample(windrow: Windrow, spec: Path, sample: Path) -> None:
    received = ("--received", "2026-12-31T00:00:00Z")
    ran = windrow("window", str(spec), str(sample), "--output", "{window}.parquet", *received)

    parsed = parse(spec.read_text(), spec.name)
    found = {name: pl.read_parquet(f"{name}.parquet") for name in parsed.windows}
    assert "unexpected" not in ran.err
    assert {name: frame.schema for name, frame in found.items()} == {
        name: result_schema(parsed, window) for name, window in parsed.windows.items()
    }
    # A sample may be too short for a sequence, but not for windows side by side.
    assert all(found[name].height for name, window in parsed.windows.items() if window.kind == "tumbling")


def test_there_are_examples_with_samples() -> None:
    assert len(_samples()) >= 6
