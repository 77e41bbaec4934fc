resource "aws_iam_role" "source" {
  for_each = local.replications

  name               = "${each.key}-source"
  description        = "DMS: reads the password of the source database"
  assume_role_policy = data.aws_iam_policy_document.trust["dms.${data.aws_region.current.region}.amazonaws.com"].json
  tags               = var.tags
}

resource "aws_iam_role" "landing" {
  for_each = local.replications

  name               = "${each.key}-landing"
  description        = "DMS: lands files of the stream ${var.stream}"
  assume_role_policy = data.aws_iam_policy_document.trust["dms.amazonaws.com"].json
  tags               = var.tags
}

# For secrets DMS comes as the service of its region, for S3 as the service.
data "aws_iam_policy_document" "trust" {
  for_each = toset(["dms.amazonaws.com", "dms.${data.aws_region.current.region}.amazonaws.com"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "source" {
  for_each = local.replications

  name   = "read-secret"
  role   = aws_iam_role.source[each.key].id
  policy = data.aws_iam_policy_document.source[each.key].json
}

data "aws_iam_policy_document" "source" {
  for_each = local.replications

  statement {
    sid       = "ReadSecret"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [each.value.secret_arn]
  }

  dynamic "statement" {
    for_each = each.value.secret_kms_key_arn == null ? [] : [each.value.secret_kms_key_arn]

    content {
      sid       = "DecryptSecret"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${data.aws_region.current.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "landing" {
  for_each = local.replications

  name   = "land"
  role   = aws_iam_role.landing[each.key].id
  policy = data.aws_iam_policy_document.landing[each.key].json
}

data "aws_iam_policy_document" "landing" {
  for_each = local.replications

  # DMS asks for the right to delete, to remove the file by which it tries an endpoint, and to tag.
  statement {
    sid       = "Land"
    actions   = ["s3:DeleteObject", "s3:PutObject", "s3:PutObjectTagging"]
    resources = ["${var.landing.bucket_arn}/landing/${var.stream}/*"]
  }

  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [var.landing.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["landing/${var.stream}", "landing/${var.stream}/*"]
    }
  }

  statement {
    sid       = "Encrypt"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.landing.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}
