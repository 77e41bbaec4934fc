"""Sums without a rounding error, so that neither order nor grouping can show in a digit.

A number is an integer times a power of two (of a decimal: times a power of ten, which is kept apart). Rows are added up
in Int128 `slots`, each of which takes the bits of every value from one power of two up to the next. What comes out of a
group is written to base 2^60 with one sign (`Digits`), which is the same whatever slots it came from, and is added to
others digit by digit. A float is made of it once, at the end, correctly rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import frexp, isfinite

import numpy as np
import polars as pl

from windrow.errors import TooLarge

DIGIT_BITS = 60
_BASE = 1 << DIGIT_BITS
_ROW_BITS = 36
"""No group has more than 2^36 rows."""
_SLOT_BITS = 126 - _ROW_BITS
_MANTISSA_BITS = 53
_LEAST_UNIT = -1074
_FULL = 1 << 62
"""More leading bits than a float holds."""
_DECIMAL_DIGITS_IN_SLOT = 27  # 10^27 < 2^90
DECIMAL_END = 10**38
_INT128 = pl.Int128()
LIMBS = pl.List(pl.Int64())


def int128(value: int) -> pl.Expr:
    return pl.lit(value, dtype=_INT128)


def _constant(value: int) -> pl.Series:
    return pl.Series([value], dtype=_INT128)


_RADIX, _ZERO = _constant(_BASE), _constant(0)


# ------------------------------------------------------------------------------------------------ rows to slots


@dataclass(frozen=True, slots=True)
class Slots:
    """Which powers of two the slots of a column's sum count, the largest first."""

    kind: pl.DataType
    units: tuple[int, ...]

    def with_terms(self, rows: pl.LazyFrame, value: str) -> pl.LazyFrame:
        """Adds a column per slot, `terms(value)`: each row's share in it, an Int128; null where the value is."""
        if not isinstance(self.kind, pl.Float64):
            whole = units_of(pl.col(value), self.kind)
            if len(self.units) == 1:
                return rows.with_columns(whole.alias(self.terms(value)[0]))
            upper = whole // int128(1 << self.units[0])
            parts = (upper, whole - upper * int128(1 << self.units[0]))
            return rows.with_columns(part.alias(name) for part, name in zip(parts, self.terms(value), strict=True))
        # Column by column, not as one expression: that would double with every slot.
        rest = pl.col(value)
        for number, (unit, name) in enumerate(zip(self.units, self.terms(value), strict=True)):
            rows = rows.with_columns(_scaled(rest, -unit).cast(_INT128).alias(name))  # cuts off what is below the unit
            if number + 1 < len(self.units):
                rows = rows.with_columns(
                    (rest - _scaled(pl.col(name).cast(pl.Float64()), unit)).alias(f"__{value}.rest")
                )
                rest = pl.col(f"__{value}.rest")  # exact: the lower bits of the value
        return rows

    def terms(self, value: str) -> list[str]:
        """The columns that `with_terms` adds."""
        return [f"__{value}.{number}" for number in range(len(self.units))]

    def digits(self, sums: Sequence[pl.Series]) -> "Digits":
        """What the sums of each slot's terms are together; one row per group, none of them null."""
        base = min(self.units) // DIGIT_BITS
        zero = pl.zeros(sums[0].len(), _INT128, eager=True)
        columns = [zero] * (max(self.units) // DIGIT_BITS - base + 4)
        for unit, total in zip(self.units, sums, strict=True):
            at, shift = divmod(unit - base * DIGIT_BITS, DIGIT_BITS)
            upper = total // _RADIX
            top = upper // _RADIX
            for place, part in enumerate((total - upper * _RADIX, upper - top * _RADIX, top)):
                columns[at + place] = columns[at + place] + part * _constant(1 << shift)
        return Digits.of(base, columns)


def units_of(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """An int, or a decimal in units of its last place, as Int128."""
    return value.reinterpret(dtype=_INT128) if isinstance(kind, pl.Decimal) else value.cast(_INT128)


def places(kind: pl.DataType) -> int:
    """Decimal digits after the point: `Digits` of a decimal are in units of the last."""
    return kind.scale if isinstance(kind, pl.Decimal) else 0


def slots(rows: pl.LazyFrame, columns: Mapping[str, pl.DataType], too_large: Mapping[str, str]) -> dict[str, Slots]:
    """The slots that hold every value of these columns of ints, floats and decimals. Floats take a pass over the rows.

    Raises TooLarge with the text that `too_large` has for a column, if one of its values is infinite.
    """
    floats = [name for name, kind in columns.items() if isinstance(kind, pl.Float64)]
    found = {name: _whole_slots(kind) for name, kind in columns.items() if name not in floats}
    if not floats:
        return found
    sizes = [pl.col(name).abs() for name in floats]
    extent = rows.select(
        *(size.max().name.suffix(".max") for size in sizes),
        *(size.filter(size > 0).min().name.suffix(".min") for size in sizes),
    ).collect(engine="streaming")
    for name in floats:
        largest, smallest = extent[f"{name}.max"].item(), extent[f"{name}.min"].item()
        if largest is not None and not isfinite(largest):
            raise TooLarge(too_large[name])
        found[name] = Slots(columns[name], _float_units(largest or 0.0, smallest or 1.0))
    return found


def _whole_slots(kind: pl.DataType) -> Slots:
    is_long = isinstance(kind, pl.Decimal) and kind.precision > _DECIMAL_DIGITS_IN_SLOT
    return Slots(kind, (DIGIT_BITS, 0) if is_long else (0,))


def _float_units(largest: float, smallest: float) -> tuple[int, ...]:
    lowest = max(frexp(smallest)[1] - _MANTISSA_BITS, _LEAST_UNIT)
    bits = max(frexp(largest)[1] - lowest, 1)
    return tuple(reversed(range(lowest, lowest + bits, _SLOT_BITS)))


def _scaled(value: pl.Expr, exponent: int) -> pl.Expr:
    """Times 2^exponent, which need not be a float itself."""
    step = max(min(exponent, 1000), -1000)
    scaled = value * 2.0**step
    return scaled if step == exponent else _scaled(scaled, exponent - step)


# ------------------------------------------------------------------------------------------------ digits


@dataclass(frozen=True, slots=True)
class Digits:
    """One exact number per row: sign × Σ digits[i] × 2^(60 (base + i)), each digit from 0 to 2^60 - 1."""

    base: int
    digits: tuple[pl.Series, ...]
    is_negative: pl.Series

    @classmethod
    def of(cls, base: int, columns: Sequence[pl.Series]) -> "Digits":
        """Of Int128 columns that may have any sign and be as long as fits."""
        digits, carry = _carried(columns)
        is_negative = carry < _ZERO
        sign = _sign(is_negative)
        digits, carry = _carried([column * sign for column in columns])
        return cls(base, (*digits, carry), is_negative)

    def lists(self) -> tuple[pl.Series, pl.Series]:
        """As two columns to keep: the place of the first digit that is not 0, and the signed digits from there on.

        Equal numbers are equal in them; zero is place 0 and no digits.
        """
        sign = 1 - 2 * self.is_negative.cast(pl.Int64())
        signed = np.stack([(digit.cast(pl.Int64()) * sign).to_numpy() for digit in self.digits], axis=1)
        is_taken = signed != 0
        first, last = is_taken.argmax(axis=1), len(self.digits) - 1 - is_taken[:, ::-1].argmax(axis=1)
        is_zero = ~is_taken.any(axis=1)
        length = np.where(is_zero, 0, last - first + 1)
        kept = pl.DataFrame(
            {
                "base": pl.Series(np.where(is_zero, 0, first + self.base), dtype=pl.Int16()),
                "limbs": pl.Series(signed, dtype=pl.Array(pl.Int64(), len(self.digits))).arr.to_list(),
            }
        ).with_columns(pl.col("limbs").list.slice(pl.lit(pl.Series(first)), pl.lit(pl.Series(length))))
        return kept["base"], kept["limbs"]

    @classmethod
    def from_lists(cls, bases: pl.Series, limbs: pl.Series) -> "Digits":
        """What `lists` gave."""
        frame = pl.DataFrame([bases.alias("base"), limbs.alias("limbs")])
        base, columns = digit_columns(frame, "base", "limbs")
        return cls.of(base, frame.select(columns).get_columns())

    def minus(self, other: "Digits") -> "Digits":
        base = min(self.base, other.base)
        columns = [pl.zeros(self.is_negative.len(), _INT128, eager=True)] * max(
            each.base - base + len(each.digits) for each in (self, other)
        )
        for each, sign in ((self, _sign(self.is_negative)), (other, _ZERO - _sign(other.is_negative))):
            for place, digit in enumerate(each.digits, each.base - base):
                columns[place] = columns[place] + digit * sign
        return Digits.of(base, columns)

    def whole(self) -> pl.Series | None:
        """Numbers that are whole, as Int128; None if one of them reaches 2^127."""
        total = pl.zeros(self.is_negative.len(), _INT128, eager=True)
        for place, digit in enumerate(self.digits, self.base):
            if place < 0 or digit.is_empty():
                continue
            room = max(127 - DIGIT_BITS * place, 0)
            if room < DIGIT_BITS and not (digit < _constant(1 << room)).all():
                return None
            total = total + (digit * _constant(1 << DIGIT_BITS * place) if room else _ZERO)
        return total * _sign(self.is_negative)

    def floats(self, divisor: pl.Series | None = None) -> pl.Series:
        """The nearest floats, ties to even, infinite beyond their range; of the quotients by whole numbers from 1 to
        2^60, if a divisor is given. Long division, digit by digit, until there are more bits than a float holds.
        """  # noqa: D205
        places = list(zip(range(self.base, self.base + len(self.digits)), self.digits, strict=True))[::-1]
        zero = pl.zeros(self.is_negative.len(), _INT128, eager=True)
        if divisor is not None:
            by = divisor.cast(_INT128)
            places += [(self.base - 1, zero), (self.base - 2, zero)]  # more digits of the quotient
        quotient, remainder, is_cut, exponent = zero, zero, zero != _ZERO, zero.cast(pl.Int32())
        for place, digit in places:
            is_open = quotient < _constant(_FULL)
            if divisor is None:
                step, left = digit, zero
            else:
                dividend = remainder * _RADIX + digit
                step = dividend // by
                left = dividend - step * by
            is_cut = is_cut | (~is_open & (digit != _ZERO))
            quotient = (quotient * _RADIX + step).zip_with(is_open, quotient)
            remainder = left.zip_with(is_open, remainder)
            exponent = pl.repeat(DIGIT_BITS * place, exponent.len(), dtype=pl.Int32(), eager=True).zip_with(
                is_open, exponent
            )
        # One more bit says that there is more below: it decides what would look like a tie.
        rounded = (quotient * _constant(2) + (is_cut | (remainder != _ZERO)).cast(_INT128)).cast(pl.Float64())
        with np.errstate(over="ignore"):
            size = np.ldexp(rounded.to_numpy(), (exponent - 1).to_numpy())
        return pl.Series(size) * (1 - 2 * self.is_negative.cast(pl.Float64()))


def group_sums(
    rows: pl.DataFrame, by: Sequence[str], columns: Mapping[str, pl.DataType], where: str
) -> tuple[pl.DataFrame, dict[str, Digits]]:
    """The sums of some columns for each group: `by`, and for each column the sums, in the same order.

    Raises TooLarge if a value is infinite; `where` says of what.
    """
    lazy = rows.lazy().select(*by, *columns)
    found = slots(lazy, columns, dict.fromkeys(columns, f"{where} passes what a float holds in a window"))
    for column, own in found.items():
        lazy = own.with_terms(lazy, column)
    terms = [term for column, own in found.items() for term in own.terms(column)]
    groups = lazy.group_by(by).agg(pl.col(terms).sum()).collect(engine="streaming")
    sums = {column: own.digits([groups[term] for term in own.terms(column)]) for column, own in found.items()}
    return groups.select(by), sums


def digit_columns(frame: pl.DataFrame, base: str, limbs: str) -> tuple[int, list[pl.Expr]]:
    """Numbers that were kept as lists, place by place: the first place there is, and an expression for each (Int128,
    named by its number). The expressions may be summed and made to `Digits` again.
    """  # noqa: D205
    length = pl.col(limbs).list.len().cast(pl.Int64())
    extent = frame.filter(length > 0).select(
        pl.col(base).min().alias("first"),
        pl.col(base).max().alias("latest"),
        (pl.col(base) + length).max().alias("end"),
    )
    first, latest, end = extent.row(0)
    if first is None:
        return 0, [(pl.col(base).cast(_INT128) * 0).alias("0")]
    at = first - pl.col(base).cast(pl.Int64())
    columns = []
    for place in range(end - first):
        digit = pl.col(limbs).list.get(at + place if latest > first else place, null_on_oob=True)
        if latest > first:  # a negative place would count from the end
            digit = pl.when(at + place >= 0).then(digit)
        columns.append(digit.cast(_INT128).fill_null(0).alias(str(place)))
    return first, columns


def _carried(columns: Sequence[pl.Series]) -> tuple[list[pl.Series], pl.Series]:
    """Digits from 0 to 2^60 - 1, and what goes beyond the last, which has the sign of all."""
    digits, carry = [], columns[0] * _ZERO
    for column in columns:
        total = column + carry
        carry = total // _RADIX  # rounds down, of negative numbers too
        digits.append(total - carry * _RADIX)
    return digits, carry


def _sign(is_negative: pl.Series) -> pl.Series:
    return _constant(1) - _constant(2) * is_negative.cast(_INT128)
