"""The window arithmetic: polars in, polars out. No AWS, no clock, no log; the same rows from the same records."""
