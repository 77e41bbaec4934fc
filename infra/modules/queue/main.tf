# A queue and everything that it is not safe without: its dead-letter queue, the way there, and alarms on both.

locals {
  name      = "${var.prefix}-${var.name}"
  dead_name = "${local.name}${var.dead_letters.suffix}"
}

resource "aws_sqs_queue" "work" {
  name                              = local.name
  visibility_timeout_seconds        = var.visibility_s
  message_retention_seconds         = var.retention_s
  receive_wait_time_seconds         = var.receive_wait_s
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
  tags                              = merge(var.tags, { Name = local.name, purpose = var.purpose })

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.max_receives
  })
}

resource "aws_sqs_queue" "dead" {
  name                              = local.dead_name
  visibility_timeout_seconds        = var.visibility_s
  message_retention_seconds         = var.dead_letters.retention_s
  receive_wait_time_seconds         = var.receive_wait_s
  sqs_managed_sse_enabled           = var.kms_key_arn == null ? true : null
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == null ? null : 300
  tags                              = merge(var.tags, { Name = local.dead_name, purpose = "what ${local.name} could not process" })
}

# Only this queue may use it as its dead-letter queue.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.work.arn]
  })
}
