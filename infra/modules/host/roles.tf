# The instance's role is the service's role, and besides what an instance needs to start the service and be reached.

locals {
  # The registry's account and region, and the repository, are parts of the image's name.
  pulled         = regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.[^/]+/(?P<name>[^@]+)@", var.image)
  repository_arn = "arn:${data.aws_partition.current.partition}:ecr:${local.pulled.region}:${local.pulled.account}:repository/${local.pulled.name}"
}

data "aws_partition" "current" {}

module "access" {
  source = "../access"

  consumes           = var.touches.consumes
  produces           = var.touches.produces
  reads              = var.touches.reads
  confirms           = var.touches.confirms
  writes             = var.touches.writes
  deletes            = var.touches.deletes
  table_arns         = var.touches.puts_latest ? var.places.table_arns : []
  table_kms_key_arns = var.touches.puts_latest ? var.places.table_kms_key_arns : []
  zones              = var.places.zones
  queue_arns         = var.places.queue_arns
  queue_kms_key_arn  = var.places.queue_kms_key_arn
}

resource "aws_iam_role" "host" {
  name               = "${local.name}-host"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_instance_profile" "host" {
  name = "${local.name}-host"
  role = aws_iam_role.host.name
  tags = var.tags
}

resource "aws_iam_role_policy" "topology" {
  name   = "topology"
  role   = aws_iam_role.host.id
  policy = module.access.policy
}

resource "aws_iam_role_policy" "host" {
  name   = "host"
  role   = aws_iam_role.host.id
  policy = data.aws_iam_policy_document.host.json
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "host" {
  statement {
    sid       = "PullTheImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.repository_arn]
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.host.arn}:*"]
  }

  # wildcard: these actions know no resources; what can be pulled with the token is said above
  statement {
    #checkov:skip=CKV_AWS_111:these actions know no resources
    #checkov:skip=CKV_AWS_356:these actions know no resources
    sid = "SignInAndBeReached"
    actions = [
      "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
      "ec2messages:GetMessages", "ec2messages:SendReply", "ecr:GetAuthorizationToken", "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}
