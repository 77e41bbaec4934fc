# Who is told when something is wrong, and what is written down.

module "watch" {
  source = "../watch"

  prefix                = var.prefix
  tags                  = local.tags
  alarm_emails          = var.watch.alarm_emails
  log_groups            = local.log_groups
  queues                = { for name, queue in module.queues : name => { name = queue.name } }
  streams               = var.watch.streams
  max_errors            = var.watch.max_errors
  clusters              = [for cluster in module.cluster : cluster.name if var.compute == "ecs"]
  host_groups           = concat(flatten([for cluster in module.cluster : values(cluster.auto_scaling_group_names)]), [for host in module.host : host.auto_scaling_group_name])
  monthly_budget_usd    = var.watch.monthly_budget_usd
  budget_tag            = { key = "deployment", value = var.prefix }
  audited_bucket_arns   = var.watch.audits ? [for bucket in module.buckets : bucket.arn] : []
  audits_reads          = var.watch.audits_reads
  access_log_bucket     = module.logs.name
  log_retention_days    = var.log_retention_days
  has_config_rules      = var.watch.has_config_rules
  makes_config_recorder = var.watch.makes_config_recorder
  is_disposable         = var.is_disposable
}
