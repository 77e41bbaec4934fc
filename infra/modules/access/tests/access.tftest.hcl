mock_provider "aws" {
  source = "../../mocks"
}

variables {
  reads    = ["config", "landing"]
  confirms = ["landing"]
  writes   = ["landing"]

  zones = {
    config  = { bucket_arn = "arn:aws:s3:::farm-config", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/config" }
    landing = { bucket_arn = "arn:aws:s3:::farm-raw", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/raw" }
    lake    = { bucket_arn = "arn:aws:s3:::farm-lake", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/lake" }
  }

  queue_arns = { landed = "arn:aws:sqs:eu-central-1:111122223333:farm-landed" }
}

run "what_is_only_confirmed_cannot_be_decrypted" {
  assert {
    condition = flatten([
      for statement in data.aws_iam_policy_document.needs.statement : statement.resources if contains(statement.actions, "kms:Decrypt")
    ]) == ["arn:aws:kms:eu-central-1:111122223333:key/config"]
    error_message = "Ingest reads config and nothing of what landed."
  }
}

run "a_service_touches_its_zones_alone" {
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.needs.statement : statement.resources if contains(statement.actions, "s3:PutObject")
    ])) == toset(["arn:aws:s3:::farm-raw/landing/*"])
    error_message = "Objects are put into the zones of writes."
  }

  assert {
    condition     = !contains(flatten(data.aws_iam_policy_document.needs.statement[*].actions), "s3:DeleteObject")
    error_message = "Nothing is deleted that deletes does not name."
  }
}

run "who_consumes_nothing_gets_nothing_of_queues" {
  assert {
    condition     = !anytrue([for action in flatten(data.aws_iam_policy_document.needs.statement[*].actions) : startswith(action, "sqs:")])
    error_message = "No queue, no action on queues."
  }
}

run "nobody_deletes_what_another_wrote" {
  command = plan

  variables {
    deletes = ["lake"]
  }

  expect_failures = [var.deletes]
}

run "an_unknown_queue_is_refused" {
  command = plan

  variables {
    consumes = ["landet"]
  }

  expect_failures = [var.consumes]
}
