# Every bucket of the topology, and one for logs. Keys of objects decide zones, and zones decide what roles may do.

locals {
  # What becomes of objects is said by zone, and set on the zone's bucket.
  lifecycles = {
    for bucket in keys(local.topology.buckets) : bucket => merge(
      {
        for beginning, rule in var.lifecycles : beginning => rule
        if try(local.topology.zones[split("/", beginning)[0]].bucket, "") == bucket
      },
      {
        for beginning in ["backfills/logs/"] : beginning => { expire_after_days = var.log_retention_days }
        if var.backfill.is_enabled && local.topology.zones.results.bucket == bucket
      },
    )
  }

  zones = {
    for zone, shape in local.topology.zones : zone => {
      bucket_arn  = module.buckets[shape.bucket].arn
      kms_key_arn = module.buckets[shape.bucket].kms_key_arn
    }
  }

  # Zones that S3 tells a queue about hold what came in, and what came in is put once.
  notified_zones = distinct([for notification in local.topology.notifications : notification.zone])
}

module "buckets" {
  source   = "../bucket"
  for_each = local.topology.buckets

  prefix             = var.prefix
  tags               = local.tags
  name               = each.key
  purpose            = each.value.purpose
  classification     = var.classification
  is_versioned       = try(each.value.versioned, false)
  is_disposable      = var.is_disposable
  lifecycles         = local.lifecycles[each.key]
  late_horizon_days  = var.late_horizon_days
  access_log_bucket  = module.logs.name
  immutable_prefixes = [for zone in local.notified_zones : "${zone}/" if local.topology.zones[zone].bucket == each.key]

  # DMS and Firehose cannot send If-None-Match; they make keys of their own. Their roles are named by rule, because they are
  # made from the bucket and the bucket cannot be made from them.
  unconditional_writer_arns = each.key != local.topology.zones.landing.bucket ? [] : [
    for role in concat(
      [for name, stream in var.replications : "${name}-landing"],
      local.lands_copies ? ["records-copy"] : [],
    ) : "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/${var.prefix}-${role}"
  ]
}

module "logs" {
  source = "../bucket"

  prefix               = var.prefix
  tags                 = local.tags
  name                 = "logs"
  purpose              = "access logs of buckets and of the load balancer"
  is_disposable        = var.is_disposable
  receives_access_logs = true
  policies             = [data.aws_iam_policy_document.load_balancer_logs.json]

  lifecycles = {
    for source in concat(keys(local.topology.buckets), ["audit", "front", "query-results"]) :
    "${var.prefix}-${source}/" => { expire_after_days = var.log_retention_days }
  }
}

# Whose load balancer it is stands in the key that it may put.
data "aws_iam_policy_document" "load_balancer_logs" {
  statement {
    sid       = "LoadBalancerLogs"
    actions   = ["s3:PutObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${var.prefix}-logs/${var.prefix}-front/AWSLogs/${data.aws_caller_identity.current.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}
