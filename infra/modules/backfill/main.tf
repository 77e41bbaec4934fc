# Spark for windows over more than one machine computes: serverless by default, a cluster on EC2 as a switch.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  name       = "${var.prefix}-backfill"
  account_id = data.aws_caller_identity.current.account_id
}

resource "aws_emrserverless_application" "spark" {
  name          = local.name
  release_label = var.release_label
  type          = "SPARK"
  architecture  = "ARM64"
  tags          = var.tags

  # It costs nothing while no job runs.
  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 15
  }

  maximum_capacity {
    cpu    = "${var.max_cpu} vCPU"
    memory = "${var.max_memory_gib} GB"
    disk   = "${var.max_disk_gib} GB"
  }

  network_configuration {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.spark.id]
  }

  monitoring_configuration {
    s3_monitoring_configuration {
      log_uri            = "s3://${var.output.bucket_name}/backfills/logs/"
      encryption_key_arn = var.output.kms_key_arn
    }
  }
}

# Workers speak to each other, to S3 and to the interface endpoints, and to nobody else.
resource "aws_security_group" "spark" {
  #checkov:skip=CKV2_AWS_5:EMR attaches it, through network_configuration
  name        = local.name
  description = "Spark workers of ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_ingress_rule" "workers" {
  #checkov:skip=CKV_AWS_24:all ports, but only from members of the same group
  #checkov:skip=CKV_AWS_25:see above
  #checkov:skip=CKV_AWS_260:see above
  security_group_id            = aws_security_group.spark.id
  description                  = "Workers to each other"
  referenced_security_group_id = aws_security_group.spark.id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "workers" {
  security_group_id            = aws_security_group.spark.id
  description                  = "Workers to each other"
  referenced_security_group_id = aws_security_group.spark.id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.spark.id
  description                  = "AWS, through interface endpoints"
  referenced_security_group_id = var.endpoints_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.spark.id
  description       = "S3, through the gateway endpoint"
  prefix_list_id    = var.s3_prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_s3_object" "job" {
  bucket                 = var.output.bucket_name
  key                    = "backfills/job/windows.py"
  source                 = "${path.module}/job/windows.py"
  source_hash            = filesha256("${path.module}/job/windows.py")
  server_side_encryption = "aws:kms"
  kms_key_id             = var.output.kms_key_arn
  tags                   = var.tags
}
