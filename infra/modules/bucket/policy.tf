data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

resource "aws_s3_bucket_policy" "zone" {
  bucket = aws_s3_bucket.zone.id
  policy = data.aws_iam_policy_document.zone.json

  # A policy put at the same time as the public access block is sometimes refused.
  depends_on = [aws_s3_bucket_public_access_block.zone]
}

data "aws_iam_policy_document" "zone" {
  source_policy_documents = var.policies

  # A denial must hold for every action and everybody, or what it leaves out is allowed.
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.zone.arn, "${aws_s3_bucket.zone.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # Law 2: an object is put once. Starting a multipart upload and its parts carry no condition (they create nothing yet);
  # completing one does. CopyObject into these keys is refused by this too.
  dynamic "statement" {
    for_each = length(var.immutable_prefixes) > 0 ? ["PutOnce"] : []

    content {
      sid       = statement.value
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = [for prefix in var.immutable_prefixes : "${aws_s3_bucket.zone.arn}/${prefix}*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Null"
        variable = "s3:if-none-match"
        values   = ["true"]
      }

      condition {
        test     = "Bool"
        variable = "s3:ObjectCreationOperation"
        values   = ["true"]
      }

      dynamic "condition" {
        for_each = length(var.unconditional_writer_arns) > 0 ? [var.unconditional_writer_arns] : []

        content {
          test     = "ArnNotEquals"
          variable = "aws:PrincipalArn"
          values   = condition.value
        }
      }
    }
  }

  dynamic "statement" {
    for_each = var.receives_access_logs ? ["AccessLogs"] : []

    content {
      sid       = statement.value
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.zone.arn}/*"]

      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = ["arn:${data.aws_partition.current.partition}:s3:::${var.prefix}-*"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }
    }
  }
}
