"""The only place that imports an AWS SDK."""
