locals {
  told = [aws_sns_topic.alarms.arn]

  # An alarm for silence only where somebody says how long a stream may be silent.
  never_silent = { for stream, limits in var.streams : stream => limits if limits.max_silence_min != null }
}

resource "aws_cloudwatch_metric_alarm" "behind" {
  for_each = var.streams

  alarm_name          = "${var.prefix}-${each.key}-behind"
  alarm_description   = "Records of ${each.key} stood in their table more than ${each.value.max_behind_s} s after they came in."
  namespace           = local.namespace
  metric_name         = "CommitBehind"
  dimensions          = { stream = each.key }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = each.value.max_behind_s
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching" # nothing committed is silence (below) or a queue that grows old (modules/queue)
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "silent" {
  for_each = local.never_silent

  alarm_name          = "${var.prefix}-${each.key}-silent"
  alarm_description   = "No record of ${each.key} was committed for ${each.value.max_silence_min} minutes."
  namespace           = local.namespace
  metric_name         = "RecordsCommitted"
  dimensions          = { stream = each.key }
  statistic           = "Sum"
  period              = each.value.max_silence_min * 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "quarantine" {
  for_each = var.streams

  alarm_name          = "${var.prefix}-${each.key}-quarantine"
  alarm_description   = "More than ${each.value.max_quarantine_percent} % of the records of ${each.key} go into quarantine."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = each.value.max_quarantine_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags

  metric_query {
    id          = "share"
    label       = "Quarantined (%)"
    expression  = "IF(decoded > 0, 100 * quarantined / decoded, 0)"
    return_data = true
  }

  metric_query {
    id = "decoded"

    metric {
      namespace   = local.namespace
      metric_name = "RecordsDecoded"
      dimensions  = { stream = each.key }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "quarantined"

    metric {
      namespace   = local.namespace
      metric_name = "RecordsQuarantined"
      dimensions  = { stream = each.key }
      period      = 300
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "halted" {
  for_each = var.streams

  alarm_name          = "${var.prefix}-${each.key}-halted"
  alarm_description   = "Decoding of ${each.key} stopped itself, because too much of it went into quarantine. What lands waits; publish a spec that fits, or resume it."
  namespace           = local.namespace
  metric_name         = "StreamsHalted"
  dimensions          = { stream = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "buried" {
  for_each = var.queues

  alarm_name          = "${each.value.name}-buried"
  alarm_description   = "A worker of ${each.value.name} put a message into the dead-letter queue. `windrow failures` shows why."
  namespace           = local.namespace
  metric_name         = "MessagesDeadLettered"
  dimensions          = { queue = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "stopped" {
  for_each = var.queues

  alarm_name          = "${each.value.name}-stopped"
  alarm_description   = "A worker of ${each.value.name} stopped itself, because too many messages failed (law 9); it tries one now and then."
  namespace           = local.namespace
  metric_name         = "ConsumersStopped"
  dimensions          = { queue = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.log_groups

  alarm_name          = "${var.prefix}-${each.key}-errors"
  alarm_description   = "${each.key} logged more than ${var.max_errors} errors in five minutes."
  namespace           = local.namespace
  metric_name         = "Errors"
  dimensions          = { service = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = var.max_errors
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}
