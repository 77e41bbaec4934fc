# A table for a stream's latest records, exactly as the writer's DynamoDB sink writes it: one string key, nothing else fixed.

resource "aws_dynamodb_table" "latest" {
  name                        = "${var.prefix}.${var.stream}.${var.table}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "_key"
  deletion_protection_enabled = !var.is_disposable
  tags = merge(var.tags, {
    Name           = "${var.prefix}.${var.stream}.${var.table}"
    classification = var.classification
  })

  attribute {
    name = "_key"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  dynamic "on_demand_throughput" {
    for_each = var.max_write_units == null ? [] : [var.max_write_units]

    content {
      max_write_request_units = on_demand_throughput.value
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "${aws_dynamodb_table.latest.name}-throttled"
  alarm_description   = "DynamoDB refuses writes to ${aws_dynamodb_table.latest.name}. The writer tries again, and every stream that it commits waits meanwhile."
  namespace           = "AWS/DynamoDB"
  metric_name         = "WriteThrottleEvents"
  dimensions          = { TableName = aws_dynamodb_table.latest.name }
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
