"""The windrow command line."""

from importlib.metadata import version

__version__ = version("windrow-cli")
