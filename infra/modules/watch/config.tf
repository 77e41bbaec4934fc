# AWS Config tells when something is no longer as it was set up here.

locals {
  # AWS's own rules, by what they hold.
  managed_rules = {
    buckets-not-publicly-readable = "S3_BUCKET_PUBLIC_READ_PROHIBITED"
    buckets-not-publicly-writable = "S3_BUCKET_PUBLIC_WRITE_PROHIBITED"
    buckets-tls-only              = "S3_BUCKET_SSL_REQUESTS_ONLY"
    buckets-encrypted-with-kms    = "S3_DEFAULT_ENCRYPTION_KMS"
    keys-rotate                   = "CMK_BACKING_KEY_ROTATION_ENABLED"
    hosts-use-imdsv2              = "EC2_IMDSV2_CHECK"
    images-scanned                = "ECR_PRIVATE_IMAGE_SCANNING_ENABLED"
    images-immutable              = "ECR_PRIVATE_TAG_IMMUTABILITY_ENABLED"
    policies-not-admin            = "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS"
    dynamodb-recoverable          = "DYNAMODB_PITR_ENABLED"
    log-groups-forget             = "CW_LOGGROUP_RETENTION_PERIOD_CHECK"
    data-classified               = "REQUIRED_TAGS"
  }

  rule_parameters = {
    log-groups-forget = { MinRetentionTime = tostring(var.log_retention_days) }
    data-classified   = { tag1Key = "classification" }
  }

  rule_types = {
    data-classified = ["AWS::S3::Bucket", "AWS::DynamoDB::Table"]
  }
}

resource "aws_config_config_rule" "kept" {
  for_each = { for name, source in local.managed_rules : name => source if var.has_config_rules }

  name             = "${var.prefix}-${each.key}"
  input_parameters = try(jsonencode(local.rule_parameters[each.key]), null)
  tags             = var.tags

  source {
    owner             = "AWS"
    source_identifier = each.value
  }

  dynamic "scope" {
    for_each = contains(keys(local.rule_types), each.key) ? [local.rule_types[each.key]] : []

    content {
      compliance_resource_types = scope.value
    }
  }

  # A rule without a recorder is refused; where the account has one, there is nothing to wait for.
  depends_on = [aws_config_configuration_recorder_status.account]
}

# An account has one recorder in each region, so this is off where there is one.
resource "aws_config_configuration_recorder" "account" {
  count = var.makes_config_recorder ? 1 : 0

  name     = var.prefix
  role_arn = aws_iam_service_linked_role.config[0].arn

  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_iam_service_linked_role" "config" {
  count = var.makes_config_recorder ? 1 : 0

  aws_service_name = "config.amazonaws.com"
  tags             = var.tags
}

resource "aws_config_delivery_channel" "account" {
  count = var.makes_config_recorder ? 1 : 0

  name           = var.prefix
  s3_bucket_name = module.audit[0].name
  s3_kms_key_arn = module.key.arn

  depends_on = [aws_config_configuration_recorder.account]
}

resource "aws_config_configuration_recorder_status" "account" {
  count = var.makes_config_recorder ? 1 : 0

  name       = aws_config_configuration_recorder.account[0].name
  is_enabled = true

  depends_on = [aws_config_delivery_channel.account]
}
