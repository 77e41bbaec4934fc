mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix      = "farm"
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/given"
}

run "a_stream_scales_by_itself_and_is_not_copied_unless_asked" {
  assert {
    condition     = aws_kinesis_stream.records.name == "farm-records" && aws_kinesis_stream.records.stream_mode_details[0].stream_mode == "ON_DEMAND"
    error_message = "Without shards, the stream is on demand."
  }

  assert {
    condition     = length(aws_kinesis_firehose_delivery_stream.copy) == 0 && output.copy_role_arn == null
    error_message = "A copy is a switch that is off."
  }
}

run "with_shards_it_is_provisioned" {
  variables {
    shard_count = 4
  }

  assert {
    condition     = aws_kinesis_stream.records.stream_mode_details[0].stream_mode == "PROVISIONED" && aws_kinesis_stream.records.shard_count == 4
    error_message = "A number of shards makes a provisioned stream."
  }
}

run "the_copy_may_put_under_its_own_prefixes_alone" {
  variables {
    copy = {
      bucket_arn  = "arn:aws:s3:::farm-raw"
      kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/raw"
      key_prefix  = "landing/sensors/"
    }
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.copy["copy"].statement : statement.resources
      if contains(statement.actions, "s3:PutObject")
    ])) == toset(["arn:aws:s3:::farm-raw/landing/sensors/*", "arn:aws:s3:::farm-raw/undelivered/*"])
    error_message = "The role puts copies and what could not be delivered, nothing else."
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.copy["copy"].extended_s3_configuration[0].prefix == "landing/sensors/!{timestamp:yyyy-MM-dd}/"
    error_message = "Copies lie by day."
  }
}

run "a_landing_prefix_names_a_stream" {
  command = plan

  variables {
    copy = {
      bucket_arn  = "arn:aws:s3:::farm-raw"
      kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/raw"
      key_prefix  = "landing/"
    }
  }

  expect_failures = [var.copy]
}

run "what_could_not_be_delivered_does_not_land" {
  command = plan

  variables {
    copy = {
      bucket_arn       = "arn:aws:s3:::farm-raw"
      kms_key_arn      = "arn:aws:kms:eu-central-1:111122223333:key/raw"
      key_prefix       = "landing/sensors/"
      error_key_prefix = "landing/errors/"
    }
  }

  expect_failures = [var.copy]
}
