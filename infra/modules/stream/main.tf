# A Kinesis data stream: where producers put records that come one by one.

resource "aws_kinesis_stream" "records" {
  name             = "${var.prefix}-${var.name}"
  shard_count      = var.shard_count
  retention_period = var.retention_h
  encryption_type  = "KMS"
  kms_key_id       = var.kms_key_arn
  tags             = merge(var.tags, { Name = "${var.prefix}-${var.name}" })

  # Consumers are not ours to cut off.
  enforce_consumer_deletion = false

  stream_mode_details {
    stream_mode = var.shard_count == null ? "ON_DEMAND" : "PROVISIONED"
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "${aws_kinesis_stream.records.name}-throttled"
  alarm_description   = "Kinesis refuses records of ${aws_kinesis_stream.records.name}: producers send more than the shards take."
  namespace           = "AWS/Kinesis"
  metric_name         = "WriteProvisionedThroughputExceeded"
  dimensions          = { StreamName = aws_kinesis_stream.records.name }
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
