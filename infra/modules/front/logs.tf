resource "aws_cloudwatch_log_group" "requests" {
  count = local.is_api ? 1 : 0

  #checkov:skip=CKV_AWS_338:how long logs are kept is for each deployment to say
  name              = "/windrow/${var.prefix}/front"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_group" "firewall" {
  #checkov:skip=CKV_AWS_338:how long logs are kept is for each deployment to say
  name              = "aws-waf-logs-${local.name}" # WAF takes no name that begins otherwise
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

# AWS would make such a policy by itself, and leave it behind when all of this is destroyed.
resource "aws_cloudwatch_log_resource_policy" "delivery" {
  policy_name     = local.name
  policy_document = data.aws_iam_policy_document.delivery.json
}

data "aws_iam_policy_document" "delivery" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in concat([aws_cloudwatch_log_group.firewall], aws_cloudwatch_log_group.requests) : "${group.arn}:*"]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
