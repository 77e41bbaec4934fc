"""The only committer of tables."""
