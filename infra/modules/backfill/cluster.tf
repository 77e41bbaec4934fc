# The same on EC2, for those who hold reserved instances or want hosts to themselves. It runs, and is paid for, until it has
# been idle for a while; then it ends by itself.

locals {
  clusters = var.cluster == null ? {} : { ec2 = var.cluster }
}

resource "aws_emr_cluster" "spark" {
  for_each = local.clusters

  name                   = local.name
  release_label          = var.release_label
  applications           = ["Spark"]
  service_role           = aws_iam_role.service[each.key].arn
  security_configuration = aws_emr_security_configuration.spark[each.key].name
  log_uri                = "s3://${var.output.bucket_name}/backfills/logs/"
  tags                   = merge(var.tags, local.managed)

  keep_job_flow_alive_when_no_steps = true
  termination_protection            = false

  auto_termination_policy {
    idle_timeout = each.value.idle_s
  }

  configurations_json = jsonencode([
    { Classification = "delta-defaults", Properties = { "delta.enabled" = "true" } },
  ])

  ec2_attributes {
    instance_profile                  = aws_iam_instance_profile.job[each.key].arn
    subnet_id                         = var.subnet_ids[0]
    additional_master_security_groups = aws_security_group.spark.id
    additional_slave_security_groups  = aws_security_group.spark.id
  }

  master_instance_group {
    instance_type = each.value.instance_type
  }

  core_instance_group {
    instance_type  = each.value.instance_type
    instance_count = each.value.instance_count
  }
}

resource "aws_emr_security_configuration" "spark" {
  for_each = local.clusters

  name = local.name

  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableInTransitEncryption = false # workers speak inside one security group; TLS needs certificates of yours
      EnableAtRestEncryption    = true
      AtRestEncryptionConfiguration = {
        S3EncryptionConfiguration = { EncryptionMode = "SSE-KMS", AwsKmsKey = var.output.kms_key_arn }
        LocalDiskEncryptionConfiguration = {
          EncryptionKeyProviderType = "AwsKms"
          AwsKmsKey                 = var.output.kms_key_arn
          EnableEbsEncryption       = true
        }
      }
    }
    InstanceMetadataServiceConfiguration = { MinimumInstanceMetadataServiceVersion = 2, HttpPutResponseHopLimit = 1 }
  })
}

resource "aws_iam_instance_profile" "job" {
  for_each = local.clusters

  name = "${local.name}-job"
  role = aws_iam_role.job.name
  tags = var.tags
}

locals {
  # AWS's own policy for EMR touches only what has this tag; VPC and subnets need it as well.
  managed = { for-use-with-amazon-emr-managed-policies = "true" }
}

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

resource "aws_iam_role_policy" "service" {
  for_each = local.clusters

  name   = "give-hosts-their-role"
  role   = aws_iam_role.service[each.key].id
  policy = data.aws_iam_policy_document.service.json
}

data "aws_iam_policy_document" "service" {
  statement {
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.job.arn]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
}
