"""Which column is the event time and how it is written: chosen only where the sample leaves one reading."""

import io
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.errors import BadInput
from windrow.proposal import Choices, Proposal, propose
from windrow.proposal.readings import readings
from windrow.units import to_us


def of(sample: str, name: str = "sample.csv", **choices: object) -> Proposal:
    return propose(io.BytesIO(sample.encode()), name, Choices(**choices))  # type: ignore[arg-type]


def column(values: list[str], title: str = "ts", **choices: object) -> Proposal:
    rows = "".join(f'"{value}",{place}\n' for place, value in enumerate(values))
    return of(f"{title},value\n{rows}", delimiter=",", header=True, **choices)


def why(proposal: Proposal, about: str) -> str:
    return next(each.why for each in proposal.evidence if each.about == about)


# ---------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("text", "expected", "moment"),
    [
        ("2024-02-29T13:14:15Z", "iso8601", datetime(2024, 2, 29, 13, 14, 15)),
        ("2024-02-29 13:14:15+02:00", "iso8601", datetime(2024, 2, 29, 11, 14, 15)),
        ("2024-02-29T13:14", "iso8601", datetime(2024, 2, 29, 13, 14)),
        ("2024-02-29", "iso8601", datetime(2024, 2, 29)),
        ("2024/2/29 13:14:15.25", "%Y/%m/%d %H:%M:%S%.f", datetime(2024, 2, 29, 13, 14, 15, 250_000)),
        ("29.02.2024", "%d.%m.%Y", datetime(2024, 2, 29)),
        ("30/04/99 13:14", "%d/%m/%y %H:%M", datetime(1999, 4, 30, 13, 14)),
        ("2/29/2024 1:14 PM", "%m/%d/%Y %I:%M %p", datetime(2024, 2, 29, 13, 14)),
        ("29/02/2024 13.14.15", "%d/%m/%Y %H.%M.%S", datetime(2024, 2, 29, 13, 14, 15)),
        ("29 Feb 2024", "%d %b %Y", datetime(2024, 2, 29)),
        ("February 29, 2024", "%B %d, %Y", datetime(2024, 2, 29)),
        ("Thu, 29 Feb 2024 13:14:15 +0100", "%a, %d %b %Y %H:%M:%S %z", datetime(2024, 2, 29, 12, 14, 15)),
        ("29/Feb/2024:13:14:15 +0100", "%d/%b/%Y:%H:%M:%S %z", datetime(2024, 2, 29, 12, 14, 15)),
        ("2024-02-29 13:14:15 UTC", "%Y-%m-%d %H:%M:%S UTC", datetime(2024, 2, 29, 13, 14, 15)),
        ("20240229", "%Y%m%d", datetime(2024, 2, 29)),
        ("20240229T131415Z", "%Y%m%dT%H%M%SZ", datetime(2024, 2, 29, 13, 14, 15)),
        ("20240229131415", "%Y%m%d%H%M%S", datetime(2024, 2, 29, 13, 14, 15)),
        ("1709212455", "epoch_s", datetime(2024, 2, 29, 13, 14, 15)),
        ("1709212455.5", "epoch_s", datetime(2024, 2, 29, 13, 14, 15, 500_000)),
        ("1709212455000", "epoch_ms", datetime(2024, 2, 29, 13, 14, 15)),
        ("1709212455000000", "epoch_us", datetime(2024, 2, 29, 13, 14, 15)),
        ("1709212455000000000", "epoch_ns", datetime(2024, 2, 29, 13, 14, 15)),
    ],
)
def test_a_format_is_told_from_the_text(text: str, expected: str, moment: datetime) -> None:
    found = readings(pl.Series([text]))

    assert [each.formats for each in found] == [(expected,)]
    assert found[0].moments.to_list() == [to_us(moment.replace(tzinfo=UTC))]


@pytest.mark.parametrize(
    "text", ["", "x", "12", "3.5", "12:30", "2024-13-01", "31/31/2024", "1.2.3", "+49 30 1234567", "2024"]
)
def test_what_is_no_time_has_no_reading(text: str) -> None:
    assert readings(pl.Series([text, text])) == ()


@settings(max_examples=60)
@given(
    st.lists(st.dates(date(1980, 1, 1), date(2060, 1, 1)), min_size=1, max_size=30),
    st.sampled_from("/-."),
    st.booleans(),
)
def test_the_true_order_of_day_and_month_is_always_among_the_readings_and_alone_once_a_day_above_12_is_seen(
    days: list[date], mark: str, is_day_first: bool
) -> None:
    pattern = f"%d{mark}%m{mark}%Y" if is_day_first else f"%m{mark}%d{mark}%Y"
    found = readings(pl.Series([day.strftime(pattern) for day in days]))

    true = next(each for each in found if each.formats == (pattern,))
    assert true.moments.to_list() == [to_us(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in days]
    assert (len(found) == 1) == any(day.day > 12 for day in days)


@settings(max_examples=60)
@given(st.integers(0, 3), st.lists(st.datetimes(datetime(1972, 1, 1), datetime(2099, 1, 1)), min_size=1, max_size=5))
def test_seconds_are_never_taken_for_milliseconds(thousands: int, moments: list[datetime]) -> None:
    whole = [to_us(moment.replace(tzinfo=UTC, microsecond=0)) // 1_000_000 for moment in moments]
    found = readings(pl.Series([str(second * 1_000**thousands) for second in whole]))

    assert (("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")[thousands],) in [each.formats for each in found]
    assert sum(each.is_number for each in found) == 1


def test_several_formats_of_one_order_are_tried_in_turn() -> None:
    proposal = column(["13/01/2020", "14/01/2020 10:00", "2020-01-15"])

    assert proposal.spec is not None
    assert set(proposal.spec.time.formats) == {"%d/%m/%Y", "%d/%m/%Y %H:%M", "iso8601"}


# ---------------------------------------------------------------------------------------------------- two readings


def test_day_first_and_month_first_are_not_chosen_between_even_when_one_looks_steadier() -> None:
    steady = [f"0{day}/01/2020" for day in range(1, 10)]
    proposal = column(steady)

    assert proposal.text is None
    assert proposal.spec is None
    (question,) = proposal.questions
    assert question.about == "time.formats"
    day_first, month_first = question.options
    assert day_first.flag == "--time-format '%d/%m/%Y'"
    assert "02/01/2020 is 2020-01-02" in day_first.meaning
    assert "100% of steps are 1d" in day_first.meaning
    assert month_first.flag == "--time-format '%m/%d/%Y'"
    assert "02/01/2020 is 2020-02-01" in month_first.meaning


@pytest.mark.parametrize("chosen", ["%d/%m/%Y", "%m/%d/%Y"])
def test_the_option_of_a_question_answers_it(chosen: str) -> None:
    proposal = column(["01/02/2020", "03/04/2020"], time_formats=(chosen,))

    assert proposal.spec is not None
    assert proposal.spec.time.formats == (chosen,)


def test_one_day_above_12_decides() -> None:
    proposal = column(["01/02/2020", "13/02/2020"])

    assert proposal.spec is not None
    assert proposal.spec.time.formats == ("%d/%m/%Y",)
    assert "day first: a day above 12 stands in 1 value" in why(proposal, "time.formats")


def test_a_broken_value_does_not_decide_between_two_readings() -> None:
    proposal = column(
        [*(f"0{day}/01/2020" for day in range(1, 10)), *(f"0{day}/02/2020" for day in range(1, 10)), "00/00/0000"]
    )

    assert proposal.spec is None
    assert len(proposal.questions[0].options) == 2


def test_digits_that_are_a_date_or_a_count_of_seconds_are_asked_about() -> None:
    proposal = column(["2012010100", "2012010101"])

    assert [option.flag for option in proposal.questions[0].options] == [
        "--time-format epoch_s",
        "--time-format '%Y%m%d%H'",
    ]


def test_two_digits_that_are_a_day_or_a_year_are_asked_about() -> None:
    proposal = column(["30/04/12", "31/05/12"])

    assert [option.flag for option in proposal.questions[0].options] == [
        "--time-format '%d/%m/%y'",
        "--time-format '%y/%m/%d'",
    ]


def test_a_format_that_reads_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no value of ts is written as %d\.%m\.%Y"):
        column(["2020-01-01"], time_formats=("%d.%m.%Y",))


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="'dd/mm' is not a time format"):
        column(["2020-01-01"], time_formats=("dd/mm",))


# ---------------------------------------------------------------------------------------------------- which column


def test_a_column_named_after_time_is_chosen_over_others_and_the_text_says_so() -> None:
    proposal = of("updated,time\n2020-01-02,2020-01-01\n2020-01-03,2020-01-02\n")

    assert proposal.spec is not None
    assert proposal.spec.time.column == "time"
    assert why(proposal, "time") == "its name says so; 'updated' read as times too"


def test_two_times_with_names_of_equal_weight_are_asked_about() -> None:
    text = "opened,closed\n2020-01-02,2020-01-01\n2020-01-03,2020-01-02\n"

    assert [option.flag for option in of(text).questions[0].options] == ["--time opened", "--time closed"]
    chosen = of(text, time=("closed",))
    assert chosen.spec is not None
    assert chosen.spec.time.column == "closed"
    assert chosen.spec.columns["opened"].type == "date"


def test_two_names_that_both_say_it_are_asked_about() -> None:
    (question,) = of("timestamp,other,datetime\n2020-01-02,2020-01-03,2020-01-01\n").questions

    assert [option.flag for option in question.options] == ["--time timestamp", "--time other", "--time datetime"]


def test_no_time_at_all_is_refused_with_what_was_looked_at() -> None:
    (question,) = of("name,price\na,1.5\nb,2.5\n").questions

    assert question.text == "No column reads as a time, and a stream needs one. Looked at: name, price."
    assert [option.flag for option in question.options] == ["--receipt"]


def test_snapshots_take_the_time_of_their_receipt() -> None:
    text = "name,price\na,1.5\nb,2.5\n"
    found = of(text, receipt=True).spec

    assert found is not None
    assert (found.time.column, found.time.of) == ("ts", "receipt")
    assert (found.keys, found.unique) == ((), ())
    assert list(found.columns) == ["ts", "name", "price"]
    with pytest.raises(BadInput, match="leave --time, --time-format and --zone out"):
        of(text, receipt=True, zone="UTC")


def test_numbers_that_could_count_seconds_are_offered_and_not_chosen_unless_their_name_speaks_of_time() -> None:
    rows = "1500000000,1\n1500000060,2\n"

    assert of(f"population,v\n{rows}").questions[0].options[0].flag == "--time population"
    named = of(f"created_at,v\n{rows}")
    assert named.spec is not None
    assert named.spec.time.formats == ("epoch_s",)


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadInput, match="there is no column 'x'; there are ts, value"):
        column(["2020-01-01"], time=("x",))


def test_a_column_that_is_no_time_is_refused_with_its_values() -> None:
    with pytest.raises(BadInput, match="value does not read as a time"):
        column(["2020-01-01"], time=("value",))


def test_the_name_of_a_zone_is_named_as_the_obstacle() -> None:
    (question,) = column(["2020-01-01 10:00 CEST", "2020-01-01 11:00 CEST"]).questions

    assert "ends in the name of a zone" in question.text


# ---------------------------------------------------------------------------------------------------- split columns


@pytest.mark.parametrize(
    ("names", "formats"),
    [
        ("year,month,day", "%Y %m %d"),
        ("Year,Month,Day,Hour", "%Y %m %d %H"),
        ("yr,mo,dd,hr,min,sec", "%Y %m %d %H %M %S"),
    ],
)
def test_a_calendar_over_several_columns_is_put_together(names: str, formats: str) -> None:
    parts = names.split(",")
    rows = "".join(",".join(["2020", "2", str(day), "3", "4", "5"][: len(parts)]) + ",7\n" for day in range(1, 20))
    proposal = of(f"{names},v\n{rows}")

    assert proposal.spec is not None
    assert proposal.spec.time.parts == tuple(parts)
    assert proposal.spec.time.formats == (formats,)
    assert list(proposal.spec.columns) == ["ts", "v"]
    assert proposal.spec.unique == ("ts",)


def test_a_date_and_a_time_of_day_are_put_together() -> None:
    proposal = of("Date;Time;v\n13/03/2004;18.00.00;1\n13/03/2004;19.00.00;2\n")

    assert proposal.spec is not None
    assert proposal.spec.time.parts == ("Date", "Time")
    assert proposal.spec.time.formats == ("%d/%m/%Y %H.%M.%S",)


def test_a_date_and_a_time_of_day_that_fit_two_readings_are_asked_about() -> None:
    proposal = of("Date,Time,v\n01/02/2004,18:00,1\n03/04/2004,19:00,2\n")

    assert [option.flag for option in proposal.questions[0].options] == [
        "--time-format '%d/%m/%Y %H:%M'",
        "--time-format '%m/%d/%Y %H:%M'",
    ]


def test_a_time_of_day_that_could_be_a_date_is_one_of_day_beside_a_date_and_under_its_name() -> None:
    proposal = of("Date,Time,v\n13/03/2004,05.06.07,1\n13/03/2004,06.06.07,2\n")

    assert proposal.spec is not None
    assert proposal.spec.time.parts == ("Date", "Time")


def test_prices_are_no_times_of_day() -> None:
    proposal = of("date,price\n2020-01-01,12.50\n2020-01-02,13.25\n")

    assert proposal.spec is not None
    assert proposal.spec.time.parts == ()


def test_year_and_month_without_a_day_are_no_time() -> None:
    assert of("year,month,v\n2020,1,3\n2020,2,4\n").questions[0].about == "time"


# ---------------------------------------------------------------------------------------------------- zones, order


def test_a_zone_is_assumed_and_said_where_no_offset_is_written() -> None:
    proposal = column(["2020-01-01 00:00"])

    assert proposal.spec is not None
    assert proposal.spec.time.zone == "UTC"
    assert why(proposal, "time.zone").startswith("assumed")


def test_a_chosen_zone_counts_the_hours_its_clock_skips_or_shows_twice() -> None:
    hours = [datetime(2023, 3, 26) + timedelta(hours=hour) for hour in range(24)]
    hours += [datetime(2023, 10, 29) + timedelta(hours=hour) for hour in range(24)]
    proposal = column([hour.isoformat(sep=" ") for hour in hours], zone="Europe/Berlin")

    assert proposal.spec is not None
    assert proposal.spec.time.zone == "Europe/Berlin"
    assert "1 stand where its clock skips an hour" in why(proposal, "time.zone")
    assert "1 stand where it shows an hour twice" in why(proposal, "time.zone")


def test_a_zone_changes_nothing_where_offsets_are_written() -> None:
    proposal = column(["2020-01-01T00:00:00Z"], zone="Europe/Berlin")

    assert proposal.spec is not None
    assert proposal.spec.time.zone == "UTC"


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="'Mars' is not a time zone"):
        column(["2020-01-01"], zone="Mars")


def test_the_evidence_tells_order_step_gaps_and_copies() -> None:
    days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-05", "2020-01-06", "2020-01-06"]

    assert "rising, 75% of steps are 1d, 1 gap, 1 record at a time that stood before" in why(
        column(days), "time.formats"
    )
    assert "falling" in why(column(days[::-1]), "time.formats")
    assert "unordered" in why(column([days[2], *days]), "time.formats")


def test_records_without_a_time_are_counted() -> None:
    proposal = column([*(f"2020-01-{day}" for day in range(10, 30)), "NA", "oops"])

    assert proposal.spec is not None
    assert "fits 20 of 21 values" in why(proposal, "time.formats")
    assert "1 record without a time would be refused" in why(proposal, "time.formats")
