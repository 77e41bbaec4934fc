# What a service may do, derived from what the topology says it touches. Nothing else is written down anywhere, so "services
# meet only through S3 and SQS" is a fact of IAM and not a promise.

locals {
  # A bucket's own name, and the beginnings of keys in it, for everything that is listed.
  read_by_bucket = {
    for zone in var.reads : var.zones[zone].bucket_arn => "${zone}/*"...
  }

  # One key per bucket, so that a key decides about contents: HEAD needs none, and that is all that `confirms` gives.
  decrypted = distinct([for zone in setsubtract(var.reads, var.confirms) : var.zones[zone].kms_key_arn])
  encrypted = distinct([for zone in var.writes : var.zones[zone].kms_key_arn])

  queue_keys = var.queue_kms_key_arn == null || length(var.consumes) + length(var.produces) == 0 ? [] : [var.queue_kms_key_arn]
}

data "aws_iam_policy_document" "needs" {
  dynamic "statement" {
    for_each = length(var.reads) > 0 ? ["Read"] : []

    content {
      sid       = statement.value
      actions   = ["s3:GetObject"]
      resources = [for zone in var.reads : "${var.zones[zone].bucket_arn}/${zone}/*"]
    }
  }

  # Without it S3 answers 403 for an object that is not there, and a worker that is to make it takes that for a fault.
  # AWS does not say whether a GET of a missing object carries s3:prefix, hence IfExists: a listing that names a prefix is
  # held to the zones, one that names none shows names of keys and no more.
  dynamic "statement" {
    for_each = local.read_by_bucket

    content {
      sid       = "List${title(element(split("-", statement.key), length(split("-", statement.key)) - 1))}"
      actions   = ["s3:ListBucket"]
      resources = [statement.key]

      condition {
        test     = "StringLikeIfExists"
        variable = "s3:prefix"
        values   = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.writes) > 0 ? ["Write"] : []

    content {
      sid       = statement.value
      actions   = ["s3:AbortMultipartUpload", "s3:PutObject"]
      resources = [for zone in var.writes : "${var.zones[zone].bucket_arn}/${zone}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.deletes) > 0 ? ["Delete"] : []

    content {
      sid       = statement.value
      actions   = ["s3:DeleteObject"]
      resources = [for zone in var.deletes : "${var.zones[zone].bucket_arn}/${zone}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(local.decrypted) > 0 ? ["Decrypt"] : []

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = local.decrypted
    }
  }

  dynamic "statement" {
    for_each = length(local.encrypted) > 0 ? ["Encrypt"] : []

    content {
      sid       = statement.value
      actions   = ["kms:GenerateDataKey"]
      resources = local.encrypted
    }
  }

  dynamic "statement" {
    for_each = length(var.consumes) > 0 ? ["Consume"] : []

    content {
      sid = statement.value
      actions = [
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage",
      ]
      resources = [for queue in var.consumes : var.queue_arns[queue]]
    }
  }

  dynamic "statement" {
    for_each = length(var.produces) > 0 ? ["Produce"] : []

    content {
      sid       = statement.value
      actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
      resources = [for queue in var.produces : var.queue_arns[queue]]
    }
  }

  dynamic "statement" {
    for_each = length(local.queue_keys) > 0 ? ["QueueKey"] : []

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = local.queue_keys
    }
  }

  dynamic "statement" {
    for_each = length(var.table_arns) > 0 ? ["PutLatest"] : []

    content {
      sid       = statement.value
      actions   = ["dynamodb:PutItem"]
      resources = var.table_arns
    }
  }

  dynamic "statement" {
    for_each = length(var.table_kms_key_arns) > 0 ? ["TableKeys"] : []

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = var.table_kms_key_arns

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${data.aws_region.current.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_region" "current" {}
