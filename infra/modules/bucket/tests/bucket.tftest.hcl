mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix  = "farm"
  name    = "raw"
  purpose = "what came in"
}

run "a_bucket_is_private_and_encrypted_with_a_key_of_its_own" {
  assert {
    condition     = aws_s3_bucket.zone.bucket == "farm-raw"
    error_message = "A bucket is named <prefix>-<name>."
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.zone.block_public_acls,
      aws_s3_bucket_public_access_block.zone.block_public_policy,
      aws_s3_bucket_public_access_block.zone.ignore_public_acls,
      aws_s3_bucket_public_access_block.zone.restrict_public_buckets,
    ])
    error_message = "Nothing of it may be public."
  }

  assert {
    condition     = length(module.key) == 1 && output.kms_key_arn == module.key[0].arn
    error_message = "Without a key given, it makes one."
  }
}

run "nobody_speaks_to_it_in_the_clear" {
  assert {
    condition = length([
      for statement in data.aws_iam_policy_document.zone.statement : statement
      if statement.effect == "Deny" && contains(flatten(statement.condition[*].variable), "aws:SecureTransport")
    ]) == 1
    error_message = "There must be a denial of requests without TLS."
  }
}

run "what_is_immutable_is_put_once" {
  variables {
    key                       = { arn = "arn:aws:kms:eu-central-1:111122223333:key/given" }
    immutable_prefixes        = ["landing/"]
    unconditional_writer_arns = ["arn:aws:iam::111122223333:role/farm-replication"]
  }

  assert {
    condition = toset([
      for statement in data.aws_iam_policy_document.zone.statement : join(",", sort(flatten(statement.condition[*].variable)))
      if statement.sid == "PutOnce"
    ]) == toset(["aws:PrincipalArn,s3:ObjectCreationOperation,s3:if-none-match"])
    error_message = "A put without If-None-Match must be refused, parts of uploads and named roles aside."
  }

  assert {
    condition     = length(module.key) == 0 && output.kms_key_arn == "arn:aws:kms:eu-central-1:111122223333:key/given"
    error_message = "A given key is used."
  }
}

run "zones_age_as_told" {
  variables {
    lifecycles = {
      "landing/"        = { intelligent_after_days = 0, glacier_after_days = 180 }
      "segments/"       = { expire_after_days = 60 }
      "leases/writers/" = { expire_after_days = 1 }
    }
  }

  assert {
    condition = toset(aws_s3_bucket_lifecycle_configuration.zone.rule[*].id) == toset([
      "abort-uploads", "landing", "segments", "leases-writers",
    ])
    error_message = "Every zone has its rule, and unfinished uploads are aborted."
  }
}

run "segments_outlive_the_late_horizon" {
  command = plan

  variables {
    late_horizon_days = 60
    lifecycles        = { "segments/" = { expire_after_days = 60 } }
  }

  expect_failures = [var.lifecycles]
}

run "tables_never_expire_by_age" {
  command = plan

  variables {
    lifecycles = { "lake/" = { expire_after_days = 4000 } }
  }

  expect_failures = [var.lifecycles]
}

run "what_was_decoded_is_never_forgotten" {
  command = plan

  variables {
    lifecycles = { "batches/" = { expire_after_days = 4000 } }
  }

  expect_failures = [var.lifecycles]
}

run "what_was_sealed_is_never_forgotten" {
  command = plan

  variables {
    lifecycles = { "results/" = { expire_after_days = 4000 } }
  }

  expect_failures = [var.lifecycles]
}

run "results_of_one_table_of_windows_may_expire" {
  command = plan

  variables {
    lifecycles = { "results/sensors/windows_hourly/" = { expire_after_days = 90 } }
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.zone.rule) == 2
    error_message = "Its rule must be there."
  }
}

run "old_versions_are_forgotten_only_where_there_are_any" {
  variables {
    is_versioned = true
  }

  assert {
    condition     = contains(aws_s3_bucket_lifecycle_configuration.zone.rule[*].id, "forget-old-versions")
    error_message = "A versioned bucket must forget old versions some day."
  }
}

run "a_bucket_of_access_logs_has_no_key" {
  variables {
    name                 = "access-logs"
    receives_access_logs = true
  }

  assert {
    condition     = length(module.key) == 0 && output.kms_key_arn == null
    error_message = "S3 delivers access logs under SSE-S3 alone."
  }
}
