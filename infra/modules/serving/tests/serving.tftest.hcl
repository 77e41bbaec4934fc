mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix      = "farm"
  stream      = "sensors"
  table       = "latest"
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/given"
}

run "the_table_is_the_one_the_writer_asks_for" {
  assert {
    condition     = output.table_name == "farm.sensors.latest"
    error_message = "The writer puts into <prefix>.<stream>.<table>."
  }

  assert {
    condition = (
      aws_dynamodb_table.latest.hash_key == "_key" && length(aws_dynamodb_table.latest.attribute) == 1
      && one(aws_dynamodb_table.latest.attribute).type == "S"
    )
    error_message = "The key is the string _key alone."
  }
}

run "what_it_holds_is_encrypted_and_can_be_had_back" {
  assert {
    condition = (
      aws_dynamodb_table.latest.point_in_time_recovery[0].enabled
      && aws_dynamodb_table.latest.server_side_encryption[0].kms_key_arn == var.kms_key_arn
      && aws_dynamodb_table.latest.deletion_protection_enabled
    )
    error_message = "A table needs recovery, a key and protection from deletion."
  }
}

run "a_stream_has_a_name_without_dots" {
  command = plan

  variables {
    stream = "sensors.latest"
  }

  expect_failures = [var.stream]
}
