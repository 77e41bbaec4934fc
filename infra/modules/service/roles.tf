# Two roles: what the task may do, and what ECS may do to start it.

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

resource "aws_iam_role" "tasks" {
  name               = "${local.name}-task"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "tasks" {
  name   = "topology"
  role   = aws_iam_role.tasks.id
  policy = module.access.policy
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "PullTheImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.repository_arn]
  }

  # wildcard: a token is for the whole registry; what can be pulled with it is said above
  statement {
    #checkov:skip=CKV_AWS_356:the action knows no resources
    sid       = "SignIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.tasks.arn}:*"]
  }
}
