# Messages on a queue by the clock: each schedule is one request to pull from somewhere.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  # Without schedules there is nothing at all: no group, no role.
  groups = length(var.schedules) > 0 ? { pulls = "${var.prefix}-pulls" } : {}
}

resource "aws_scheduler_schedule_group" "pulls" {
  for_each = local.groups

  name = each.value
  tags = var.tags
}

resource "aws_scheduler_schedule" "pull" {
  for_each = var.schedules

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.pulls["pulls"].name
  description                  = "Asks for ${each.key} on ${var.queue.name}"
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone
  state                        = each.value.is_enabled ? "ENABLED" : "DISABLED"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode                      = each.value.flexible_min == 0 ? "OFF" : "FLEXIBLE"
    maximum_window_in_minutes = each.value.flexible_min == 0 ? null : each.value.flexible_min
  }

  target {
    arn      = var.queue.arn
    role_arn = aws_iam_role.schedule["pulls"].arn
    input    = jsonencode(each.value.message)

    # A pull that could not even be asked for is not lost either.
    dead_letter_config {
      arn = var.queue.dead_letters_arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }
}

resource "aws_iam_role" "schedule" {
  for_each = local.groups

  name               = "${each.value}-schedule"
  description        = "EventBridge Scheduler: puts messages on ${var.queue.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = values(aws_scheduler_schedule_group.pulls)[*].arn
    }
  }
}

resource "aws_iam_role_policy" "schedule" {
  for_each = local.groups

  name   = "send"
  role   = aws_iam_role.schedule[each.key].id
  policy = data.aws_iam_policy_document.send.json
}

data "aws_iam_policy_document" "send" {
  statement {
    sid       = "AskForPulls"
    actions   = ["sqs:SendMessage"]
    resources = [var.queue.arn, var.queue.dead_letters_arn]
  }

  dynamic "statement" {
    for_each = var.queue.kms_key_arn == null ? [] : [var.queue.kms_key_arn]

    content {
      sid       = "EncryptMessages"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${data.aws_region.current.region}.amazonaws.com"]
      }
    }
  }
}
