# Who spoke to whom: the trace that is left when everything else has been tampered with.

resource "aws_flow_log" "all" {
  vpc_id                   = aws_vpc.workers.id
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flows.arn
  iam_role_arn             = aws_iam_role.flows.arn
  max_aggregation_interval = 600
  tags                     = merge(var.tags, { Name = "${var.prefix}-flows" })
}

resource "aws_cloudwatch_log_group" "flows" {
  #checkov:skip=CKV_AWS_338:how long flow logs are kept is for each deployment to say; a year by default
  name              = "/windrow/${var.prefix}/flows"
  retention_in_days = var.flow_log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "flows" {
  name               = "${var.prefix}-flows"
  assume_role_policy = data.aws_iam_policy_document.flows_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "flows_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "flows" {
  name   = "write"
  role   = aws_iam_role.flows.id
  policy = data.aws_iam_policy_document.flows.json
}

data "aws_iam_policy_document" "flows" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.flows.arn}:*"]
  }
}
