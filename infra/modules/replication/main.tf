# A database's tables, copied to the landing zone by DMS: first whole, then every change. Everything here is behind one switch.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  replications = var.is_enabled ? { "${var.prefix}-${var.name}" = var.source_database } : {}
}

resource "aws_dms_replication_config" "tables" {
  for_each = local.replications

  replication_config_identifier = each.key
  replication_type              = var.replication_type
  source_endpoint_arn           = aws_dms_endpoint.source[each.key].endpoint_arn
  target_endpoint_arn           = aws_dms_s3_endpoint.landing[each.key].endpoint_arn
  start_replication             = true
  tags                          = var.tags

  table_mappings = jsonencode({
    rules = [
      for number, table in var.tables : {
        rule-type      = "selection"
        rule-id        = tostring(number + 1)
        rule-name      = "include-${number + 1}"
        rule-action    = "include"
        object-locator = { schema-name = table.schema, table-name = table.table }
      }
    ]
  })

  compute_config {
    replication_subnet_group_id = aws_dms_replication_subnet_group.tables[each.key].id
    vpc_security_group_ids      = [aws_security_group.replication[each.key].id]
    min_capacity_units          = var.min_capacity_units
    max_capacity_units          = var.max_capacity_units
    multi_az                    = var.is_multi_az
    kms_key_id                  = var.kms_key_arn
  }
}

resource "aws_dms_endpoint" "source" {
  for_each = local.replications

  endpoint_id                     = "${each.key}-source"
  endpoint_type                   = "source"
  engine_name                     = each.value.engine
  database_name                   = each.value.database
  secrets_manager_arn             = each.value.secret_arn
  secrets_manager_access_role_arn = aws_iam_role.source[each.key].arn
  ssl_mode                        = each.value.ssl_mode
  certificate_arn                 = each.value.certificate_arn
  kms_key_arn                     = var.kms_key_arn
  tags                            = var.tags
}

resource "aws_dms_s3_endpoint" "landing" {
  for_each = local.replications

  endpoint_id                                 = "${each.key}-landing"
  endpoint_type                               = "target"
  bucket_name                                 = var.landing.bucket_name
  bucket_folder                               = "landing/${var.stream}"
  service_access_role_arn                     = aws_iam_role.landing[each.key].arn
  expected_bucket_owner                       = data.aws_caller_identity.current.account_id
  data_format                                 = "csv"
  compression_type                            = "NONE"
  add_column_name                             = true # the header by which the decoder knows columns
  rfc_4180                                    = true
  include_op_for_full_load                    = true # the column Op is there from the first file on
  timestamp_column_name                       = var.timestamp_column
  max_file_size                               = var.max_file_kib
  cdc_max_batch_interval                      = var.max_wait_s
  encryption_mode                             = "SSE_KMS"
  server_side_encryption_kms_key_id           = var.landing.kms_key_arn
  kms_key_arn                                 = var.kms_key_arn
  use_task_start_time_for_full_load_timestamp = true
  tags                                        = var.tags

  # DMS tries the role when the endpoint is made.
  depends_on = [aws_iam_role_policy.landing]
}

resource "aws_dms_replication_subnet_group" "tables" {
  for_each = local.replications

  replication_subnet_group_id          = each.key
  replication_subnet_group_description = "Where ${each.key} runs"
  subnet_ids                           = var.subnet_ids
  tags                                 = var.tags
}

# Replication calls out, to the database and to AWS; nobody calls it.
resource "aws_security_group" "replication" {
  for_each = local.replications

  #checkov:skip=CKV2_AWS_5:DMS attaches it, through compute_config
  name        = "${each.key}-replication"
  description = "DMS replication ${each.key}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${each.key}-replication" })
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each = local.replications

  security_group_id            = aws_security_group.replication[each.key].id
  description                  = "The database"
  referenced_security_group_id = each.value.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  for_each = local.replications

  security_group_id            = aws_security_group.replication[each.key].id
  description                  = "Secrets Manager and logs, through interface endpoints"
  referenced_security_group_id = var.endpoints_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = local.replications

  security_group_id = aws_security_group.replication[each.key].id
  description       = "S3, through the gateway endpoint"
  prefix_list_id    = var.s3_prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}
