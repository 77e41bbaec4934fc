# Firehose brings the stream's records to S3, as they came, one to a line. Its role can do that and nothing else.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  copies = var.copy == null ? {} : { copy = var.copy }
}

resource "aws_kinesis_firehose_delivery_stream" "copy" {
  #checkov:skip=CKV_AWS_240:what waits in a delivery stream that reads Kinesis is encrypted by the data stream's own key
  #checkov:skip=CKV_AWS_241:see above
  for_each = local.copies

  name        = "${var.prefix}-${var.name}-copy"
  destination = "extended_s3"
  tags        = merge(var.tags, { Name = "${var.prefix}-${var.name}-copy" })

  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.records.arn
    role_arn           = aws_iam_role.copy[each.key].arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.copy[each.key].arn
    bucket_arn          = each.value.bucket_arn
    prefix              = "${each.value.key_prefix}!{timestamp:yyyy-MM-dd}/"
    error_output_prefix = "${each.value.error_key_prefix}!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/"
    buffering_interval  = each.value.buffer_s
    buffering_size      = each.value.buffer_mib
    compression_format  = "GZIP"
    file_extension      = each.value.file_extension
    kms_key_arn         = each.value.kms_key_arn

    # Producers that end their records with a line break get empty lines, which decoding passes over.
    processing_configuration {
      enabled = true

      processors {
        type = "AppendDelimiterToRecord"

        parameters {
          parameter_name  = "Delimiter"
          parameter_value = "\\n"
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.copy[each.key].name
      log_stream_name = aws_cloudwatch_log_stream.copy[each.key].name
    }
  }

  # Firehose tries its role when it is made.
  depends_on = [aws_iam_role_policy.copy]
}

resource "aws_cloudwatch_log_group" "copy" {
  for_each = local.copies

  name              = "/${var.prefix}/${var.name}-copy"
  retention_in_days = var.log_retention_days
  kms_key_id        = each.value.log_kms_key_arn
  tags              = var.tags

  #checkov:skip=CKV_AWS_158:the log says which deliveries failed and holds no records; a key is taken if one is given
  #checkov:skip=CKV_AWS_338:how long is an input; delivery errors are not kept for a year by default
}

resource "aws_cloudwatch_log_stream" "copy" {
  for_each = local.copies

  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.copy[each.key].name
}

resource "aws_iam_role" "copy" {
  for_each = local.copies

  name               = "${var.prefix}-${var.name}-copy"
  description        = "Firehose: from the stream ${var.prefix}-${var.name} to ${each.value.key_prefix}"
  assume_role_policy = data.aws_iam_policy_document.copy_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "copy_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "copy" {
  for_each = local.copies

  name   = "deliver"
  role   = aws_iam_role.copy[each.key].id
  policy = data.aws_iam_policy_document.copy[each.key].json
}

data "aws_iam_policy_document" "copy" {
  for_each = local.copies

  statement {
    sid       = "ReadStream"
    actions   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
    resources = [aws_kinesis_stream.records.arn]
  }

  statement {
    sid       = "DecryptStream"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["kinesis.${data.aws_region.current.region}.amazonaws.com"]
    }
  }

  statement {
    sid     = "PutCopies"
    actions = ["s3:AbortMultipartUpload", "s3:PutObject"]
    resources = [
      "${each.value.bucket_arn}/${each.value.key_prefix}*",
      "${each.value.bucket_arn}/${each.value.error_key_prefix}*",
    ]
  }

  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [each.value.bucket_arn]
  }

  statement {
    sid       = "EncryptCopies"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [each.value.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SayWhatFailed"
    actions   = ["logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.copy[each.key].arn}:log-stream:${aws_cloudwatch_log_stream.copy[each.key].name}"]
  }
}
