"""How a stream's files are written, where their names and content types do not say it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from windrow.spec.base import Part

Encoding = Literal["utf-8", "latin-1", "windows-1252", "utf-16"]


class CsvFormat(Part):
    """The dialect of CSV and TSV files."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Between fields. Without it: a tab in `.tsv` files, else a comma."""
    quote: Annotated[str, Field(max_length=1)] = '"'
    """Around fields that hold delimiters or line breaks; doubled inside. Empty: there are no quotes."""
    header: bool = True
    """Whether the first line names the columns."""
    columns: tuple[str, ...] = ()
    """The names of the fields in order, when there is no header."""
    encoding: Encoding = "utf-8"
    """How the text is encoded. A byte order mark overrules it."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers."""
    ragged: Literal["reject", "pad"] = "reject"
    """Rows with fewer fields than the header: refuse them, or take the fields that lack as empty. Rows with more are
    refused, unless `pad` is set and the surplus is empty."""

    @model_validator(mode="after")
    def _has_names(self) -> Self:
        if self.header and self.columns:
            raise ValueError("columns names the fields of files without a header; set header: false, or leave it out")
        if not self.header and not self.columns:
            raise ValueError("without a header, name the fields in order: columns: [ts, sensor, …]")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("columns names a field more than once")
        if self.delimiter is not None and (self.delimiter in '\r\n"' or self.delimiter == self.quote):
            raise ValueError(f"delimiter {self.delimiter!r} cannot be told from quotes or line breaks")
        return self


class JsonFormat(Part):
    """How JSON documents hold records, when a document is not simply a record or an array of them."""

    records: str | None = None
    """Path of the array of records in each document, such as `features` or `data.items`."""
    arrays: str | None = None
    """Path of an object of equally long arrays, one per column, such as `daily` in `{"daily": {"time": [...], …}}`.
    Each place in them is a record."""

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if self.records is not None and self.arrays is not None:
            raise ValueError("a document holds records or arrays, not both")
        return self


class Format(Part):
    """How a stream's files are written."""

    csv: CsvFormat = CsvFormat()
    json_: JsonFormat = Field(default=JsonFormat(), alias="json")
