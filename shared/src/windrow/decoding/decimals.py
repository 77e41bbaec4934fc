"""Decimal numbers as they are written, exactly. Pure and columnar.

The library's own cast rounds what has too many digits; here such numbers are none.
"""

import polars as pl

_NUMBER = r"^(?<sign>[+-]?)(?:(?<whole>[0-9]+)\.?(?<part>[0-9]*)|\.(?<only>[0-9]+))(?:[eE](?<exponent>[+-]?[0-9]+))?$"
_MAX_DIGITS = 38


def read_decimals(text: pl.Series, precision: int, scale: int) -> pl.Series:
    """Texts to decimals of `precision` digits, `scale` of them after the point; null where that would lose a digit.

    Zeros at either end are no digits, and `1.5e2` is 150. Blanks around are ignored.
    """
    kind = pl.Decimal(precision, scale)
    plain = text.str.contains(rf"^[+-]?0*[0-9]{{0,{precision - scale}}}(?:\.[0-9]{{0,{scale}}})?$")
    values = text.cast(kind, strict=False)
    if plain.all() and values.null_count() == text.null_count():
        return values
    left = (text.is_not_null() & (~plain | values.is_null())).arg_true()
    return values.scatter(left, _rewritten(text.gather(left), precision, scale).cast(kind, strict=False))


def _rewritten(text: pl.Series, precision: int, scale: int) -> pl.Series:
    """Any number as plain digits with `scale` of them after the point; null where it has digits beyond."""
    digits, shift = pl.col("digits"), pl.col("shift")
    parts = text.str.strip_chars().str.extract_groups(_NUMBER).struct.unnest()
    # The number is `digits` times 10^(exponent - digits after the point).
    split = parts.select(
        "sign",
        after := pl.coalesce("part", "only").alias("after"),
        (pl.col("whole").fill_null("") + after).str.strip_chars_start("0").alias("all"),
        pl.when(pl.col("exponent").is_null())
        .then(0)
        .otherwise(pl.col("exponent").cast(pl.Int64, strict=False))
        .alias("exponent"),
    ).with_columns(pl.col("all").str.strip_chars_end("0").alias("digits"))
    trailing = pl.col("all").str.len_bytes().cast(pl.Int64) - digits.str.len_bytes().cast(pl.Int64)
    shifted = split.with_columns(
        # In units of the last digit the column keeps, this many zeros follow `digits`.
        (pl.col("exponent") - pl.col("after").str.len_bytes().cast(pl.Int64) + trailing + scale).alias("shift")
    )
    fits = (shift >= 0) & (digits.str.len_bytes() + shift <= precision)
    zeros = pl.lit("0" * _MAX_DIGITS).str.head(pl.when(fits).then(shift).otherwise(0))
    units = (digits + zeros).str.zfill(scale + 1)
    written = (
        pl.col("sign") + units.str.head(units.str.len_bytes().cast(pl.Int64) - scale) + "." + units.str.tail(scale)
    )
    return shifted.select(pl.when(digits == "").then(pl.lit("0")).when(fits).then(written).alias("written"))["written"]
