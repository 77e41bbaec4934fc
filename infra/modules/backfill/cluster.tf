# The same on EC2, for those who hold reserved instances or want hosts to themselves. It runs, and is paid for, until it has
# been idle for a while; then it ends by itself.

locals {
  clusters = var.cluster == null ? {} : { ec2 = var.cluster }

  # AWS's own policy for EMR touches only what has this tag; VPC and subnets need it as well.
  managed = { for-use-with-amazon-emr-managed-policies = "true" }
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
    emr_managed_master_security_group = aws_security_group.nodes[each.key].id
    emr_managed_slave_security_group  = aws_security_group.nodes[each.key].id
    service_access_security_group     = aws_security_group.service[each.key].id
  }

  master_instance_group {
    instance_type = each.value.instance_type
  }

  core_instance_group {
    instance_type  = each.value.instance_type
    instance_count = each.value.instance_count
  }

  # What hosts may do and where they may call, from their first second to their last.
  depends_on = [
    aws_iam_role_policy.job,
    aws_iam_role_policy.service,
    aws_iam_role_policy.volumes,
    aws_iam_role_policy_attachment.service,
    aws_vpc_endpoint.emr,
    aws_vpc_security_group_egress_rule.nodes,
    aws_vpc_security_group_egress_rule.nodes_endpoints,
    aws_vpc_security_group_egress_rule.nodes_s3,
    aws_vpc_security_group_egress_rule.nodes_service,
    aws_vpc_security_group_ingress_rule.nodes,
    aws_vpc_security_group_ingress_rule.service,
  ]
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
