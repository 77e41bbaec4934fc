mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix   = "farm"
  name     = "data"
  purpose  = "objects and messages"
  services = ["s3.amazonaws.com", "logs.amazonaws.com"]
}

run "a_key_rotates_and_can_be_had_back_for_a_month" {
  assert {
    condition     = aws_kms_key.data.enable_key_rotation && aws_kms_key.data.deletion_window_in_days == 30
    error_message = "A key must rotate and be deleted as late as possible."
  }

  assert {
    condition     = aws_kms_alias.data.name == "alias/farm-data"
    error_message = "The alias must tell deployment and purpose."
  }
}

run "services_use_it_for_this_account_only" {
  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.key.statement : length(statement.condition) == 1
      if anytrue([for principal in statement.principals : principal.type == "Service"])
    ])
    error_message = "Every statement for a service needs a condition on whose it is."
  }
}

run "no_statement_allows_every_action" {
  assert {
    condition     = !contains(flatten(data.aws_iam_policy_document.key.statement[*].actions), "kms:*")
    error_message = "Actions are named one by one."
  }
}

run "a_service_needs_its_full_name" {
  command = plan

  variables {
    services = ["s3"]
  }

  expect_failures = [var.services]
}
