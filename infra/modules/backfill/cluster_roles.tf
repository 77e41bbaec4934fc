# Two roles: EMR's own, which makes and ends hosts, and that of the hosts, which is the role of jobs.

resource "aws_iam_role" "service" {
  for_each = local.clusters

  name               = "${local.name}-service"
  description        = "EMR: makes and ends the hosts of ${local.name}"
  assume_role_policy = data.aws_iam_policy_document.service_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "service_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["elasticmapreduce.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role_policy_attachment" "service" {
  for_each = local.clusters

  role       = aws_iam_role.service[each.key].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

# AWS's policy knows only EMR's default role of hosts, and no key.
resource "aws_iam_role_policy" "service" {
  for_each = local.clusters

  name   = "give-hosts-their-role-and-key"
  role   = aws_iam_role.service[each.key].id
  policy = data.aws_iam_policy_document.service.json
}

data "aws_iam_policy_document" "service" {
  statement {
    sid       = "GiveHostsTheirRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.job.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  # What EC2 asks of whoever starts a host with encrypted volumes.
  statement {
    sid = "EncryptVolumes"
    actions = [
      "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
    ]
    resources = [var.output.kms_key_arn]
  }

  statement {
    sid       = "LendTheKeyToVolumes"
    actions   = ["kms:CreateGrant"]
    resources = [var.output.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

# EMR's guide wants the role of hosts to have the key of their disks as well: a disk that EC2 does not encrypt, the host
# encrypts itself and asks for the key without S3 between.
resource "aws_iam_role_policy" "volumes" {
  for_each = local.clusters

  name   = "encrypt-disks"
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.volumes.json
}

data "aws_iam_policy_document" "volumes" {
  statement {
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    resources = [var.output.kms_key_arn]
  }
}

resource "aws_iam_instance_profile" "job" {
  for_each = local.clusters

  name = "${local.name}-job"
  role = aws_iam_role.job.name
  tags = var.tags
}
