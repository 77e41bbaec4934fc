# Ways in besides HTTP, each off unless asked for. What is decoded is what lands: Windrow's services read no Kinesis stream and
# answer no schedule today. A stream's records come in by its copy, which Firehose lands; schedules are for a worker of yours.

locals {
  landing      = local.topology.zones.landing.bucket
  lands_copies = var.kinesis.is_enabled && var.kinesis.copy_to_stream != null
}

module "stream_key" {
  source = "../key"
  count  = var.kinesis.is_enabled ? 1 : 0

  prefix  = var.prefix
  tags    = local.tags
  name    = "stream"
  purpose = "records in the Kinesis stream"
}

module "stream" {
  source = "../stream"
  count  = var.kinesis.is_enabled ? 1 : 0

  prefix           = var.prefix
  tags             = local.tags
  name             = "records"
  shard_count      = var.kinesis.shard_count
  retention_h      = var.kinesis.retention_h
  kms_key_arn      = module.stream_key[0].arn
  alarm_topic_arns = local.alarm_topic_arns

  copy = var.kinesis.copy_to_stream == null ? null : {
    bucket_arn      = module.buckets[local.landing].arn
    kms_key_arn     = module.buckets[local.landing].kms_key_arn
    key_prefix      = "landing/${var.kinesis.copy_to_stream}/"
    buffer_s        = var.kinesis.buffer_s
    buffer_mib      = var.kinesis.buffer_mib
    log_kms_key_arn = module.log_key.arn
  }
}

module "producer" {
  source = "../producer"
  count  = var.producer.is_enabled ? 1 : 0

  prefix             = var.prefix
  tags               = local.tags
  stream             = { name = module.stream[0].name, arn = module.stream[0].arn, kms_key_arn = module.stream_key[0].arn }
  kms_key_arn        = module.log_key.arn
  jwt                = var.producer.jwt
  allowed_origins    = var.producer.allowed_origins
  max_requests_per_s = var.producer.max_requests_per_s
  max_concurrency    = var.producer.max_concurrency
  log_retention_days = var.log_retention_days
  alarm_topic_arns   = local.alarm_topic_arns
}

module "replication" {
  source   = "../replication"
  for_each = var.replications

  prefix                      = var.prefix
  tags                        = local.tags
  is_enabled                  = true
  name                        = each.key
  stream                      = each.value.stream
  source_database             = each.value.source_database
  tables                      = each.value.tables
  replication_type            = each.value.replication_type
  max_capacity_units          = each.value.max_capacity_units
  vpc_id                      = module.network.vpc_id
  subnet_ids                  = module.network.private_subnet_ids
  endpoints_security_group_id = module.network.endpoint_security_group_id
  s3_prefix_list_id           = module.network.gateway_prefix_list_ids.s3

  landing = {
    bucket_name = module.buckets[local.landing].name
    bucket_arn  = module.buckets[local.landing].arn
    kms_key_arn = module.buckets[local.landing].kms_key_arn
  }
}

# The queue is made with the schedules, not from the topology: no service of Windrow consumes it.
module "pulls" {
  source = "../queue"
  count  = length(var.schedules) > 0 ? 1 : 0

  prefix           = var.prefix
  tags             = local.tags
  name             = "pulls"
  purpose          = "what to pull from elsewhere"
  visibility_s     = 300
  max_receives     = 5
  retention_s      = 86400
  max_age_s        = 900
  alarm_topic_arns = local.alarm_topic_arns
}

module "schedule" {
  source = "../schedule"
  count  = length(var.schedules) > 0 ? 1 : 0

  prefix    = var.prefix
  tags      = local.tags
  schedules = var.schedules

  queue = {
    name             = module.pulls[0].name
    arn              = module.pulls[0].arn
    dead_letters_arn = module.pulls[0].dead_letters.arn
  }
}
