# What is done with the lake, each off unless asked for: SQL, the latest record of every key, computing the past again.

module "query" {
  source = "../query"
  count  = var.query.is_enabled ? 1 : 0

  prefix            = var.prefix
  tags              = local.tags
  streams           = var.query.streams
  has_crawlers      = var.query.has_crawlers
  crawler_schedule  = var.query.crawler_schedule
  exports           = var.query.exports
  max_scanned_bytes = var.query.max_scanned_bytes
  classification    = var.classification
  access_log_bucket = module.logs.name
  log_kms_key_arn   = module.log_key.arn
  redshift          = var.query.redshift
  quicksight        = var.query.quicksight

  lake = {
    bucket_name = module.buckets[local.topology.zones.lake.bucket].name
    bucket_arn  = module.buckets[local.topology.zones.lake.bucket].arn
    kms_key_arn = module.buckets[local.topology.zones.lake.bucket].kms_key_arn
  }
}

module "serving_key" {
  source = "../key"
  count  = length(var.serving) > 0 ? 1 : 0

  prefix  = var.prefix
  tags    = local.tags
  name    = "serving"
  purpose = "tables of latest records"
}

module "serving" {
  source   = "../serving"
  for_each = var.serving

  prefix           = var.prefix
  tags             = local.tags
  stream           = each.value.stream
  table            = each.value.table
  max_write_units  = each.value.max_write_units
  kms_key_arn      = module.serving_key[0].arn
  classification   = var.classification
  is_disposable    = var.is_disposable
  alarm_topic_arns = local.alarm_topic_arns
}

locals {
  has_emr_hosts = var.backfill.is_enabled && var.backfill.cluster != null
}

module "backfill" {
  source = "../backfill"
  count  = var.backfill.is_enabled ? 1 : 0

  prefix                      = var.prefix
  tags                        = local.tags
  max_cpu                     = var.backfill.max_cpu
  max_memory_gib              = var.backfill.max_memory_gib
  cluster                     = var.backfill.cluster
  vpc_id                      = module.network.vpc_id
  vpc_cidr                    = module.network.cidr
  subnet_ids                  = module.network.private_subnet_ids
  endpoints_security_group_id = module.network.endpoint_security_group_id
  s3_prefix_list_id           = module.network.gateway_prefix_list_ids.s3
  lake                        = local.zones.lake
  config                      = local.zones.config

  # Jobs keep their code and results where everything lies that can be made again.
  output = {
    bucket_name = module.buckets[local.topology.zones.results.bucket].name
    bucket_arn  = module.buckets[local.topology.zones.results.bucket].arn
    kms_key_arn = module.buckets[local.topology.zones.results.bucket].kms_key_arn
  }
}
