# A function that puts small events on a Kinesis data stream, and the role with which it can do only that.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  name = "${var.prefix}-${var.name}"
}

data "archive_file" "producer" {
  type             = "zip"
  source_file      = "${path.module}/handler/producer.py"
  output_path      = "${path.module}/producer.zip"
  output_file_mode = "0644" # the same archive, whoever makes it
}

resource "aws_lambda_function" "producer" {
  #checkov:skip=CKV_AWS_116:it is called and answers; whoever gets no answer sends again, and nothing waits in a queue
  #checkov:skip=CKV_AWS_117:it calls Kinesis and nothing else; in a VPC it would need an endpoint to do so and gain nothing
  #checkov:skip=CKV_AWS_272:the archive is made here, from the source beside it, by whoever applies
  function_name                  = local.name
  description                    = "Puts small events on ${var.stream.name}"
  role                           = aws_iam_role.producer.arn
  filename                       = data.archive_file.producer.output_path
  source_code_hash               = data.archive_file.producer.output_base64sha256
  handler                        = "producer.handle"
  runtime                        = "python3.13"
  architectures                  = ["arm64"]
  memory_size                    = var.memory_mib
  timeout                        = 15 # four tries and the pauses between them
  reserved_concurrent_executions = var.max_concurrency
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  environment {
    variables = { STREAM_NAME = var.stream.name }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.producer.name
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.producer]
}

resource "aws_cloudwatch_log_group" "producer" {
  #checkov:skip=CKV_AWS_338:how long is an input; it holds no events, only what failed
  name              = "/${var.prefix}/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "producer" {
  name               = local.name
  description        = "Lambda: puts events on ${var.stream.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "producer" {
  name   = "produce"
  role   = aws_iam_role.producer.id
  policy = data.aws_iam_policy_document.producer.json
}

data "aws_iam_policy_document" "producer" {
  #checkov:skip=CKV_AWS_111:X-Ray has no resources to name; everything else names its own
  #checkov:skip=CKV_AWS_356:see above

  statement {
    sid       = "PutEvents"
    actions   = ["kinesis:PutRecords"]
    resources = [var.stream.arn]
  }

  statement {
    sid       = "EncryptEvents"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.stream.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["kinesis.${data.aws_region.current.region}.amazonaws.com"]
    }
  }

  # Its environment is encrypted with this key.
  statement {
    sid       = "ReadEnvironment"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.producer.arn}:*"]
  }

  # wildcard: X-Ray knows no resources; "*" is the only one that it takes
  statement {
    sid       = "Trace"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }
}

resource "aws_cloudwatch_metric_alarm" "failing" {
  alarm_name          = "${local.name}-failing"
  alarm_description   = "The producer answers events with errors of its own: Kinesis refuses, or the function fails."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.events.id, Stage = aws_apigatewayv2_stage.live.name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
