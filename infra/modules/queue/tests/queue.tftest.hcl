mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix       = "farm"
  name         = "landed"
  purpose      = "objects to decode"
  visibility_s = 60
  max_receives = 10
  retention_s  = 345600
}

run "a_queue_comes_with_its_dead_letter_queue" {
  assert {
    condition     = aws_sqs_queue.work.name == "farm-landed" && aws_sqs_queue.dead.name == "farm-landed-dead"
    error_message = "Names follow the topology."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.work.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 10 }
    error_message = "After max_receives a message goes to the dead-letter queue."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy).sourceQueueArns == [aws_sqs_queue.work.arn]
    error_message = "Nobody else may use the dead-letter queue."
  }
}

run "messages_are_encrypted_with_and_without_a_key" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/given"
  }

  assert {
    condition     = aws_sqs_queue.work.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.dead.kms_master_key_id == var.kms_key_arn
    error_message = "A given key encrypts both."
  }
}

run "only_named_buckets_send_events" {
  variables {
    event_bucket_arns = ["arn:aws:s3:::farm-raw"]
  }

  assert {
    condition = toset([
      for statement in data.aws_iam_policy_document.work.statement :
      join(",", sort(flatten(statement.condition[*].variable))) if statement.effect != "Deny"
    ]) == toset(["aws:SourceAccount,aws:SourceArn"])
    error_message = "S3 may send for these buckets of this account, and nobody else by the queue's policy."
  }
}

run "nobody_speaks_to_either_in_the_clear" {
  assert {
    condition = alltrue([
      for policy in [data.aws_iam_policy_document.work, data.aws_iam_policy_document.dead] :
      anytrue([for statement in policy.statement : statement.sid == "TlsOnly" && statement.effect == "Deny"])
    ])
    error_message = "Both queues must deny requests without TLS."
  }
}

run "a_dead_letter_is_kept_at_least_as_long_as_a_message" {
  command = plan

  variables {
    dead_letters = { retention_s = 345599 }
  }

  expect_failures = [var.dead_letters]
}

run "a_queue_is_polled_long" {
  command = plan

  variables {
    receive_wait_s = 0
  }

  expect_failures = [var.receive_wait_s]
}
