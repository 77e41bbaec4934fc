"""Checks of the Terraform in `infra/` that need no AWS account and no provider: `python -m infra.checks`."""
