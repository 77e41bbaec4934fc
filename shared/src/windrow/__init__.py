"""The common language of Windrow: what every service says and how it says it."""
