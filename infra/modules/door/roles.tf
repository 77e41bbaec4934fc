# What the door may do: be reached. Neither data nor queues: people bring rights of their own for those.

resource "aws_iam_role" "door" {
  name               = local.name
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

resource "aws_iam_instance_profile" "door" {
  name = local.name
  role = aws_iam_role.door.name
  tags = var.tags
}

resource "aws_iam_role_policy" "door" {
  name   = "be-reached"
  role   = aws_iam_role.door.id
  policy = data.aws_iam_policy_document.door.json
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

data "aws_iam_policy_document" "door" {
  # wildcard: these actions know no resources
  statement {
    #checkov:skip=CKV_AWS_111:these actions know no resources
    #checkov:skip=CKV_AWS_356:these actions know no resources
    sid = "BeReached"
    actions = [
      "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
      "ec2messages:GetMessages", "ec2messages:SendReply", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}
