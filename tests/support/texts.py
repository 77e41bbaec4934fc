"""What hypothesis draws from where people and machines give names."""

from hypothesis import strategies as st

stream_names = st.from_regex(r"[a-z][a-z0-9_-]{0,62}", fullmatch=True)
batches = st.text("0123456789abcdef", min_size=32, max_size=32)
buckets_us = st.integers(min_value=0, max_value=4_102_444_800).map(lambda seconds: seconds * 1_000_000)
"""Whole seconds from 1970 to 2100."""
shards = st.integers(min_value=0, max_value=255)
text = st.text()
