"""Recomputes windows from segments."""
