# What a host may do: be a host of this cluster, and be reached through Systems Manager. AWS's own managed policies say the
# same with "*", and let a host read every parameter of the account besides.

resource "aws_iam_role" "hosts" {
  for_each = local.groups

  name               = "${var.prefix}-${each.key}-host"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_instance_profile" "hosts" {
  for_each = local.groups

  name = "${var.prefix}-${each.key}-host"
  role = aws_iam_role.hosts[each.key].name
  tags = var.tags
}

resource "aws_iam_role_policy" "hosts" {
  for_each = local.groups

  name   = "host"
  role   = aws_iam_role.hosts[each.key].id
  policy = data.aws_iam_policy_document.hosts.json
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

data "aws_iam_policy_document" "hosts" {
  statement {
    sid = "BeAHost"
    actions = [
      "ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
      "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
    ]
    resources = [aws_ecs_cluster.workers.arn]
  }

  # wildcard: hosts have names that nobody knows before they start
  statement {
    sid     = "AskForWork"
    actions = ["ecs:Poll", "ecs:PutSystemLogEvents", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
    resources = [
      "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:container-instance/${aws_ecs_cluster.workers.name}/*",
    ]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [aws_ecs_cluster.workers.arn]
    }
  }

  # wildcard: these actions know no resources
  statement {
    #checkov:skip=CKV_AWS_111:these actions know no resources
    #checkov:skip=CKV_AWS_356:these actions know no resources
    sid = "FindEcsAndBeReached"
    actions = [
      "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
      "ec2messages:GetMessages", "ec2messages:SendReply", "ecs:DiscoverPollEndpoint", "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}
