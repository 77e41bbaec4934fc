# One customer-managed key, so that who may read data is also decided where the data is encrypted.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # The services that a key of Windrow may have to serve, and whether they say whose account they act for.
  of_account = [for service in var.services : service if !startswith(service, "logs.")]
}

resource "aws_kms_key" "data" {
  description             = "${var.prefix}: ${var.purpose}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = merge(var.tags, { Name = "${var.prefix}-${var.name}" })
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.prefix}-${var.name}"
  target_key_id = aws_kms_key.data.key_id
}

# In a key's policy the resource "*" is this key and nothing else: there is no other way to write it.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy must let the account administer the key, or nobody could
  #checkov:skip=CKV_AWS_111:see above; "*" is this key alone
  #checkov:skip=CKV_AWS_356:see above; "*" is this key alone

  statement {
    sid = "Administration"
    actions = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
      "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
      "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags",
      "kms:PutKeyPolicy", "kms:RetireGrant", "kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource",
      "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # Whoever an IAM policy of this account lets use the key may use it; the policy of the key adds nobody by itself.
  statement {
    sid = "UseThatRolesAllow"
    actions = [
      "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # DynamoDB, Kinesis and EBS keep a grant for as long as the resource stands; nobody else gets one.
  statement {
    sid       = "GrantsForServices"
    actions   = ["kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  dynamic "statement" {
    for_each = length(local.of_account) > 0 ? [local.of_account] : []

    content {
      sid       = "ServicesOfThisAccount"
      actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = statement.value
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.current.account_id]
      }
    }
  }

  dynamic "statement" {
    for_each = toset([for service in var.services : service if startswith(service, "logs.")])

    content {
      sid       = "LogGroupsOfThisDeployment"
      actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["logs.${data.aws_region.current.region}.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values = [
          "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:*${var.prefix}*",
        ]
      }
    }
  }
}
