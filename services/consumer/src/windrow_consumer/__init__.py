"""Decodes landed objects into typed segments."""
