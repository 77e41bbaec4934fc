# A job reads the lake and the specs and writes its own folder. It cannot commit to a table: only the writer may (law 5).

resource "aws_iam_role" "job" {
  name               = "${local.name}-job"
  description        = "Spark jobs of ${local.name}"
  assume_role_policy = data.aws_iam_policy_document.job_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "job_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["emr-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  # The hosts of a cluster on EC2 take the same role.
  dynamic "statement" {
    for_each = local.clusters

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = "Service"
        identifiers = ["ec2.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "job" {
  name   = "compute"
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.job.json
}

data "aws_iam_policy_document" "job" {
  statement {
    sid       = "ReadRecordsAndSpecs"
    actions   = ["s3:GetObject"]
    resources = ["${var.lake.bucket_arn}/lake/*", "${var.config.bucket_arn}/config/*"]
  }

  statement {
    sid       = "OwnFolder"
    actions   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${var.output.bucket_arn}/backfills/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = distinct([var.lake.bucket_arn, var.config.bucket_arn, var.output.bucket_arn])

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["lake/*", "config/*", "backfills/*"]
    }
  }

  statement {
    sid       = "Keys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = distinct([var.lake.kms_key_arn, var.config.kms_key_arn, var.output.kms_key_arn])

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}
