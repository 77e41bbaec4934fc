# Who touched which object: CloudTrail data events of the buckets, kept where the services cannot write.

locals {
  trails = length(var.audited_bucket_arns) > 0 ? { audit = "${var.prefix}-audit" } : {}

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  trail_arn  = "arn:${local.partition}:cloudtrail:${local.region}:${local.account_id}:trail/${var.prefix}-audit"

  keeps_audit = length(local.trails) > 0 || var.makes_config_recorder
}

module "audit" {
  source = "../bucket"
  count  = local.keeps_audit ? 1 : 0

  prefix            = var.prefix
  name              = "audit"
  purpose           = "who did what, and how resources were set up"
  classification    = "confidential"
  is_versioned      = true
  is_disposable     = var.is_disposable
  key               = { arn = module.key.arn }
  access_log_bucket = var.access_log_bucket
  lifecycles        = { "AWSLogs/" = { glacier_after_days = 90, expire_after_days = var.audit_retention_days } }
  policies          = [data.aws_iam_policy_document.deliveries.json]
  tags              = var.tags
}

data "aws_iam_policy_document" "deliveries" {
  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketAcl", "s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.prefix}-audit"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "Deliver"
    actions   = ["s3:PutObject"]
    resources = ["arn:${local.partition}:s3:::${var.prefix}-audit/AWSLogs/${local.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_cloudtrail" "audit" {
  for_each = local.trails

  #checkov:skip=CKV_AWS_67:a deployment lives in one region; a trail of all regions belongs to the account
  #checkov:skip=CKV_AWS_252:objects are read and written all the time; a notification for each log file tells nobody anything
  name                       = each.value
  s3_bucket_name             = module.audit[0].name
  kms_key_id                 = module.key.arn
  enable_log_file_validation = true
  cloud_watch_logs_group_arn = "${aws_cloudwatch_log_group.audit[each.key].arn}:*"
  cloud_watch_logs_role_arn  = aws_iam_role.audit[each.key].arn
  tags                       = var.tags

  advanced_event_selector {
    name = "Objects of the pipeline"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }

    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }

    field_selector {
      field       = "resources.ARN"
      starts_with = [for arn in var.audited_bucket_arns : "${arn}/"]
    }

    # Reads are many times the writes and cost the same each.
    dynamic "field_selector" {
      for_each = var.audits_reads ? [] : ["false"]

      content {
        field  = "readOnly"
        equals = [field_selector.value]
      }
    }
  }

  # CloudTrail tries the role when the trail is made.
  depends_on = [aws_iam_role_policy.audit]
}

resource "aws_cloudwatch_log_group" "audit" {
  for_each = local.trails

  #checkov:skip=CKV_AWS_338:here events are kept for searching; the bucket keeps them for audit_retention_days
  name              = "/${var.prefix}/audit"
  retention_in_days = var.log_retention_days
  kms_key_id        = module.key.arn
  tags              = var.tags
}

resource "aws_iam_role" "audit" {
  for_each = local.trails

  name               = "${each.value}-trail"
  description        = "CloudTrail: writes events to its log group"
  assume_role_policy = data.aws_iam_policy_document.audit_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "audit_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}

resource "aws_iam_role_policy" "audit" {
  for_each = local.trails

  name   = "write-events"
  role   = aws_iam_role.audit[each.key].id
  policy = data.aws_iam_policy_document.audit[each.key].json
}

data "aws_iam_policy_document" "audit" {
  for_each = local.trails

  # CloudTrail names its streams itself, after account and region.
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.audit[each.key].arn}:log-stream:${local.account_id}_CloudTrail_${local.region}*"]
  }
}
