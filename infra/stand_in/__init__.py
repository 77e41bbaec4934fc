"""A provider that only says what it was asked, so that the real Terraform plans, applies and destroys all of this."""
