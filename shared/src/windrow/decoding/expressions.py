"""Expressions over the columns of a frame.

Every operation is computed by itself, over whole columns, and its result kept as a column until what needs it is done.
So no part of an expression is computed twice, however deep it is nested, and each result can be looked at before it is
used: an int that overflowed must not become another int.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from windrow.lake.schema import TIMESTAMP
from windrow.spec.expressions import Call, Constant, Expression, Node, Reference, Type
from windrow.spec.expressions.functions import FUNCTIONS
from windrow.spec.expressions.kinds import DIGITS
from windrow.spec.expressions.operators import OPERATORS
from windrow.units import DAY_US, SECOND_US

Failure = Literal["out_of_range", "not_finite"]
"""Why a record has no value: a part of the expression came to more than its type holds."""

_SIMPLE: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "timestamp": TIMESTAMP,
    "date": pl.Date(),
    "null": pl.Null(),
}
_WIDE = pl.Int128()
_FIRST_US, _LAST_US = -719_162 * DAY_US, 2_932_897 * DAY_US - 1
"""The years 1 to 9999."""
_CAN_FAIL = {name for name, operation in {**OPERATORS, **FUNCTIONS}.items() if operation.can_fail} | {"convert"}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The values of an expression, one for each row of a frame."""

    values: pl.Series
    failures: pl.Series | None
    """The Failure of each row that has one (whose value is null), else null. None when no row has."""


def evaluate(expression: Expression, rows: pl.DataFrame) -> Evaluated:
    """Evaluate over rows that have the expression's columns, typed, and at least one column of any name.

    No name may begin with `_node_`.
    """
    some = rows.columns[0]  # a frame without columns has no height
    evaluation = _Evaluation(pl.DataFrame([rows[name] for name in sorted({some, *expression.columns})]))
    values = evaluation.series(evaluation.node(expression.node))
    if evaluation.failures is None:
        return Evaluated(values, None)
    # A part that failed is null to what goes on with it, and a value may come of that.
    sound = evaluation.series(pl.when(pl.lit(evaluation.failures).is_null()).then(pl.lit(values)))
    return Evaluated(sound, evaluation.failures)


def polars_type(of: Type) -> pl.DataType:
    """How values of a type are kept while they are computed with."""
    match of.kind:
        case "decimal":
            return pl.Decimal(DIGITS, of.scale)
        case "list":
            return pl.List(_SIMPLE[of.items or "string"])
        case kind:
            return _SIMPLE[kind]


class _Evaluation:
    """The work on one expression: the frame with the results so far, and which rows failed."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows
        self._kept = 0
        self._needed: pl.Expr | None = None
        """Rows whose value depends on the node at hand; None for all."""
        self.failures: pl.Series | None = None

    def series(self, values: pl.Expr) -> pl.Series:
        """Values as a series that has a value of its own for every row."""
        return self._rows.with_columns(values.alias("_node_"))["_node_"]

    def node(self, node: Node) -> pl.Expr:
        """A node's values, as an expression that costs nothing: a column or a constant."""
        match node:
            case Constant():
                return pl.lit(node.value, polars_type(node.type))
            case Reference():
                column = pl.col(node.name)
                kind = polars_type(node.type)
                return column if self._rows.schema[node.name] == kind else self._keep(column.cast(kind))
            case Call():
                return self._call(node)

    def _call(self, call: Call) -> pl.Expr:
        arguments = self._arguments(call)
        result = self._keep(self._operation(call, arguments))
        if call.operation in _CAN_FAIL and not _reads_text(call):
            self._look_at(result, arguments, call)
        self._forget(arguments)
        return result

    def _operation(self, call: Call, arguments: list[pl.Expr]) -> pl.Expr | pl.Series:
        if call.arguments[0].type.kind == "null" and call.operation == "convert":
            return pl.lit(None, polars_type(call.type))
        if call.operation in {"/", "//", "%"}:
            arguments[1] = self._instead(arguments[1], pl.when(arguments[1] != 0).then(arguments[1]))
        if call.operation == "/" or (call.operation in {"//", "%"} and call.type.kind == "float"):
            return self._divided(call.operation, *arguments)
        if call.operation == "seconds_between":
            span = (arguments[1].dt.timestamp("us") - arguments[0].dt.timestamp("us")).cast(pl.Float64)
            return self._divided("/", span, pl.lit(float(SECOND_US)))
        return _OPERATIONS[call.operation](call, *arguments)

    def _divided(self, operation: str, a: pl.Expr, b: pl.Expr) -> pl.Series:
        # Of series, because of an expression the library multiplies by the inverse when the divisor is a constant, or
        # happens to be the same in all rows: 49 / 49 would be 0.9999999999999999 beside some neighbours and 1 beside
        # others.
        dividend, divisor = self.series(a), self.series(b)
        quotient = dividend / divisor
        match operation:
            case "//":
                return quotient.floor()
            case "%":
                return dividend - quotient.floor() * divisor
            case _:
                return quotient

    # -------------------------------------------------------------------------------------------- what is needed

    def _arguments(self, call: Call) -> list[pl.Expr]:
        """The arguments' values. Where some are only needed for some rows, only those rows can fail in them."""
        outer, arguments = self._needed, list[pl.Expr]()
        gates: list[pl.Expr] = []
        for place, each in enumerate(call.arguments):
            condition = _needed(call.operation, place, arguments)
            if condition is not None and not isinstance(each, Constant | Reference):
                gates.append(self._keep(condition if outer is None else outer & condition))
                self._needed = gates[-1]
            arguments.append(self.node(each))
            self._needed = outer
        self._forget(gates)
        if not any(map(_names, arguments)):
            arguments[0] = self._keep(arguments[0])  # so that the result has as many rows as the frame
        return arguments

    def _look_at(self, result: pl.Expr, arguments: list[pl.Expr], call: Call) -> None:
        """Note the rows that have no value though every argument has."""
        is_float = call.type.kind == "float"
        none = ~result.is_finite() if is_float else result.is_null()
        lost = self.series(none & pl.all_horizontal(each.is_not_null() for each in arguments)).fill_null(value=False)
        if not lost.any():
            return
        if is_float:
            self._rows = self._rows.with_columns(pl.when(result.is_finite()).then(result).alias(*_names(result)))
        failure: Failure = "not_finite" if is_float else "out_of_range"
        failed = pl.lit(lost) if self._needed is None else pl.lit(lost) & self._needed.fill_null(value=False)
        marks = self.series(pl.when(failed).then(pl.lit(failure)))
        self.failures = marks if self.failures is None else self.series(pl.coalesce(self.failures, marks))

    # -------------------------------------------------------------------------------------------- columns

    def _keep(self, values: pl.Expr | pl.Series) -> pl.Expr:
        name = f"_node_{self._kept}"
        self._kept += 1
        # A series has a value for every row. What an expression makes may be one value that stands for all rows, and
        # what follows from such values alone would be a single row.
        self._rows = self._rows.with_columns(values.alias(name))
        self._rows = self._rows.with_columns(self._rows[name])
        return pl.col(name)

    def _instead(self, before: pl.Expr, values: pl.Expr) -> pl.Expr:
        kept = self._keep(values)
        self._forget([before])
        return kept

    def _forget(self, columns: Iterable[pl.Expr]) -> None:
        names = {name for column in columns for name in _names(column)}
        self._rows = self._rows.drop(name for name in names if name.startswith("_node_"))


def _names(column: pl.Expr) -> list[str]:
    """The name of a column; nothing for a constant."""
    return column.meta.root_names()


def _reads_text(call: Call) -> bool:
    """Whether null says that a text is no number, which is no failure."""
    return call.operation == "to_int" and call.arguments[0].type.kind == "string"


def _needed(operation: str, place: int, before: list[pl.Expr]) -> pl.Expr | None:
    """The rows for which the argument at a place is needed, given those before it; None for all."""
    match operation, place:
        case (("if" | "if_else"), 1):
            return before[0].fill_null(value=False)
        case (("if" | "if_else"), 2):
            return ~before[0].fill_null(value=False)
        case "and", place if place > 0:
            return pl.all_horizontal(each.fill_null(value=True) for each in before)
        case "or", place if place > 0:
            return ~pl.any_horizontal(each.fill_null(value=False) for each in before)
        case "coalesce", place if place > 0:
            return pl.all_horizontal(each.is_null() for each in before)
    return None


# ------------------------------------------------------------------------------------------------ operations


def _added(call: Call, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _narrow(call, lambda x, y: x + y, a, b)


def _subtracted(call: Call, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _narrow(call, lambda x, y: x - y, a, b)


def _multiplied(call: Call, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _narrow(call, lambda x, y: x * y, a, b)


def _narrow(call: Call, compute: Callable[..., pl.Expr], *arguments: pl.Expr) -> pl.Expr:
    """Arithmetic that yields null where the result is more than its type holds."""
    match call.type.kind:
        case "int":
            return compute(*(each.cast(_WIDE) for each in arguments)).cast(pl.Int64, strict=False)
        case "decimal":
            # The library refuses the whole column where one value is too large; so those never come before it.
            estimate = compute(*(each.cast(pl.Float64) for each in arguments))
            fits = _holds(estimate, call.type.scale)
            return compute(*(pl.when(fits).then(each) for each in arguments))
        case _:
            return compute(*arguments)


def _holds(estimate: pl.Expr, scale: int) -> pl.Expr:
    """Whether a decimal holds a number; one within a millionth of a millionth of the limit counts as beyond."""
    return estimate.abs() < 10.0 ** (DIGITS - scale) * (1 - 1e-12)


def _chained(call: Call, *arguments: pl.Expr) -> pl.Expr:
    pairs = zip(call.signs, arguments, arguments[1:], strict=False)
    return pl.all_horizontal(_COMPARISONS[sign](a, b) for sign, a, b in pairs)


_COMPARISONS: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _one_of(call: Call, a: pl.Expr, *_values: pl.Expr) -> pl.Expr:
    values = [each.value for each in call.arguments[1:] if isinstance(each, Constant)]
    listed = pl.Series(values, dtype=polars_type(call.arguments[0].type))
    return a.is_in(listed.implode())


def _contained(_call: Call, a: pl.Expr, members: pl.Expr) -> pl.Expr:
    return pl.when(a.is_not_null() & members.is_not_null()).then(members.list.contains(a))


def _extreme(of: Callable[..., pl.Expr], *arguments: pl.Expr) -> pl.Expr:
    return pl.when(pl.all_horizontal(each.is_not_null() for each in arguments)).then(of(*arguments))


def _rounded(call: Call, a: pl.Expr, _digits: pl.Expr) -> pl.Expr:
    digits = _written(call, 1)
    match call.arguments[0].type.kind:
        case "int":
            return a
        case "float":
            return a.round(digits, mode="half_away_from_zero")
        case _:
            return _rounded_decimal(a, call.arguments[0].type, digits)


def _rounded_decimal(a: pl.Expr, kind: Type, digits: int) -> pl.Expr:
    if digits < kind.scale:
        # Rounding up must not take it beyond its digits before it is narrowed.
        fits = _holds(a.cast(pl.Float64).abs() + 1, kind.scale)
        a = pl.when(fits).then(a).round(digits, mode="half_away_from_zero")
    return a.cast(pl.Decimal(DIGITS, min(digits, kind.scale)), strict=False)


def _to_decimal(call: Call, a: pl.Expr, _digits: pl.Expr) -> pl.Expr:
    digits, kind = _written(call, 1), call.arguments[0].type
    if kind.kind == "float":
        a = a.round(digits, mode="half_away_from_zero")
        a = pl.when(_holds(a, digits)).then(a)
    elif kind.kind == "decimal":
        a = _rounded_decimal(a, kind, digits)
    return a.cast(pl.Decimal(DIGITS, digits), strict=False)


def _whole(call: Call, a: pl.Expr, rounding: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    if call.arguments[0].type.kind == "decimal":
        a = pl.when(a.cast(pl.Float64).abs() < 2.0**64).then(a)
    elif call.arguments[0].type.kind == "int":
        return a
    return rounding(a).cast(pl.Int64, strict=False)


def _to_int(call: Call, a: pl.Expr) -> pl.Expr:
    match call.arguments[0].type.kind:
        case "string":
            return a.str.strip_chars().str.replace(r"^\+([0-9])", "$1").cast(pl.Int64, strict=False)
        case "bool":
            return a.cast(pl.Int64)
        case "float":
            return _whole(call, a, lambda x: x)
        case _:
            return _whole(call, a, lambda x: pl.when(x < 0).then(x.ceil()).otherwise(x.floor()))


def _to_float(call: Call, a: pl.Expr) -> pl.Expr:
    if call.arguments[0].type.kind != "string":
        return a.cast(pl.Float64)
    number = a.str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _to_text(call: Call, a: pl.Expr) -> pl.Expr:
    match call.arguments[0].type.kind:
        case "timestamp":
            return a.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        case "date":
            return a.dt.strftime("%Y-%m-%d")
        case _:
            return a.cast(pl.String)


def _add_seconds(call: Call, a: pl.Expr, seconds: pl.Expr) -> pl.Expr:
    match call.arguments[1].type.kind:
        case "int":
            later = seconds.cast(_WIDE) * SECOND_US
        case _:
            in_us = (seconds.cast(pl.Float64) * SECOND_US).round(mode="half_away_from_zero")
            later = in_us.cast(pl.Int64, strict=False).cast(_WIDE)
    moment = a.dt.timestamp("us").cast(_WIDE) + later
    return pl.when(moment.is_between(_FIRST_US, _LAST_US)).then(moment).cast(pl.Int64, strict=False).cast(TIMESTAMP)


def _calendar(part: Callable[[pl.Expr], pl.Expr]) -> Callable[[Call, pl.Expr], pl.Expr]:
    return lambda _call, a: part(a).cast(pl.Int64)


def _length(call: Call, a: pl.Expr) -> pl.Expr:
    return (a.list.len() if call.arguments[0].type.kind == "list" else a.str.len_chars()).cast(pl.Int64)


def _written(call: Call, place: int) -> Any:
    """An argument that is written out."""
    node = call.arguments[place]
    assert isinstance(node, Constant), node
    return node.value


def _replaced(call: Call, a: pl.Expr, *_texts: pl.Expr) -> pl.Expr:
    return a.str.replace_all(_written(call, 1), _written(call, 2), literal=True)


def _split_part(call: Call, a: pl.Expr, *_where: pl.Expr) -> pl.Expr:
    return a.str.split(_written(call, 1)).list.get(_written(call, 2), null_on_oob=True)


def _converted(call: Call, a: pl.Expr) -> pl.Expr:
    return a.cast(polars_type(call.type), strict=False)


_OPERATIONS: Mapping[str, Callable[..., pl.Expr]] = {
    "convert": _converted,
    "+": _added,
    "-": _subtracted,
    "*": _multiplied,
    "//": lambda call, a, b: _narrow(call, lambda x, y: x // y, a, b),
    "%": lambda call, a, b: _narrow(call, lambda x, y: x % y, a, b),
    "negative": lambda call, a: _narrow(call, lambda x: x * -1 if call.type.kind == "int" else -x, a),
    "equality": _chained,
    "comparison": _chained,
    "in": _one_of,
    "in_list": _contained,
    "and": lambda _call, *conditions: pl.all_horizontal(conditions),
    "or": lambda _call, *conditions: pl.any_horizontal(conditions),
    "not": lambda _call, a: ~a,
    "if": lambda _call, condition, a, b: pl.when(condition).then(a).otherwise(b),
    "if_else": lambda _call, condition, a, b: pl.when(condition).then(a).otherwise(b),
    "lower": lambda _call, a: a.str.to_lowercase(),
    "upper": lambda _call, a: a.str.to_uppercase(),
    "trim": lambda _call, a: a.str.strip_chars(),
    "length": _length,
    "concat": lambda _call, *texts: pl.concat_str(texts),
    "starts_with": lambda _call, a, b: a.str.starts_with(b),
    "ends_with": lambda _call, a, b: a.str.ends_with(b),
    "contains": lambda _call, a, b: a.str.contains(b, literal=True),
    "replace": _replaced,
    "slice": lambda call, a, *_where: a.str.slice(_written(call, 1), _written(call, 2)),
    "split_part": _split_part,
    "abs": lambda call, a: _narrow(call, lambda x: x.abs(), a),
    "round": _rounded,
    "floor": lambda call, a: _whole(call, a, lambda x: x.floor()),
    "ceil": lambda call, a: _whole(call, a, lambda x: x.ceil()),
    "min_of": lambda _call, *values: _extreme(pl.min_horizontal, *values),
    "max_of": lambda _call, *values: _extreme(pl.max_horizontal, *values),
    "is_null": lambda _call, a: a.is_null(),
    "coalesce": lambda _call, *values: pl.coalesce(values),
    "to_int": _to_int,
    "to_float": _to_float,
    "to_decimal": _to_decimal,
    "to_text": _to_text,
    "timestamp": lambda _call, a: a.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    "date": lambda _call, a: a.dt.date(),
    "year": _calendar(lambda a: a.dt.year()),
    "month": _calendar(lambda a: a.dt.month()),
    "day": _calendar(lambda a: a.dt.day()),
    "hour": _calendar(lambda a: a.dt.hour()),
    "minute": _calendar(lambda a: a.dt.minute()),
    "weekday": _calendar(lambda a: a.dt.weekday()),
    "add_seconds": _add_seconds,
    "item": lambda call, a, _place: a.list.get(_written(call, 1), null_on_oob=True),
}
