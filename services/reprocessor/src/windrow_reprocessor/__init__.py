"""Lists what failed and replays it safely."""
