mock_provider "aws" {
  source = "../../mocks"
}

mock_provider "archive" {
  mock_data "archive_file" {
    defaults = { output_path = "producer.zip", output_base64sha256 = "c2hhMjU2" }
  }
}

variables {
  prefix      = "farm"
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/logs"
  stream = {
    name        = "farm-records"
    arn         = "arn:aws:kinesis:eu-central-1:111122223333:stream/farm-records"
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/stream"
  }
}

run "nobody_comes_in_without_showing_who_they_are" {
  assert {
    condition     = aws_apigatewayv2_route.events.authorization_type == "AWS_IAM"
    error_message = "Without tokens, requests are signed."
  }
}

run "tokens_are_checked" {
  variables {
    jwt = { issuer = "https://login.example.com", audience = ["events"] }
  }

  assert {
    condition     = aws_apigatewayv2_route.events.authorization_type == "JWT" && aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].issuer == "https://login.example.com"
    error_message = "With an issuer, its tokens are asked for."
  }
}

run "the_function_puts_on_its_stream_and_does_nothing_else" {
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.producer.statement : statement.actions if !contains(statement.resources, "*")
    ])) == toset(["kinesis:PutRecords", "kms:Decrypt", "kms:GenerateDataKey", "logs:CreateLogStream", "logs:PutLogEvents"])
    error_message = "Its role holds more than it needs."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.producer.statement :
      alltrue([for action in statement.actions : startswith(action, "xray:")]) if contains(statement.resources, "*")
    ])
    error_message = "Only X-Ray, which knows no resources, is allowed on all."
  }

  assert {
    condition     = one(aws_lambda_function.producer.environment).variables["STREAM_NAME"] == "farm-records"
    error_message = "The function must be told its stream."
  }
}

run "an_issuer_is_asked_over_tls" {
  command = plan

  variables {
    jwt = { issuer = "http://login.example.com", audience = ["events"] }
  }

  expect_failures = [var.jwt]
}
