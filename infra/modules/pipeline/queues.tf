# Every queue of the topology with all that belongs to it, and the events of S3 that go there.

locals {
  queue_arns = merge(
    { for name, queue in module.queues : name => queue.arn },
    { for name, queue in module.queues : "${name}${local.topology.dead_letters.suffix}" => queue.dead_letters.arn },
  )

  # Physical names, as CloudWatch knows queues.
  queue_names = merge(
    { for name, queue in module.queues : name => queue.name },
    { for name, queue in module.queues : "${name}${local.topology.dead_letters.suffix}" => queue.dead_letters.name },
  )

  # A bucket has one notification resource, whatever number of zones it tells about: a second would undo the first.
  notifications = {
    for bucket in distinct([for one in local.topology.notifications : local.topology.zones[one.zone].bucket]) : bucket => [
      for one in local.topology.notifications : one if local.topology.zones[one.zone].bucket == bucket
    ]
  }
}

module "queues" {
  source   = "../queue"
  for_each = local.topology.queues

  prefix           = var.prefix
  tags             = local.tags
  name             = each.key
  purpose          = each.value.purpose
  visibility_s     = each.value.visibility_s
  max_receives     = each.value.max_receives
  retention_s      = each.value.retention_s
  dead_letters     = local.topology.dead_letters
  max_age_s        = var.max_message_age_s
  alarm_topic_arns = local.alarm_topic_arns

  event_bucket_arns = distinct([
    for one in local.topology.notifications : module.buckets[local.topology.zones[one.zone].bucket].arn if one.queue == each.key
  ])
}

resource "aws_s3_bucket_notification" "events" {
  for_each = local.notifications

  bucket = module.buckets[each.key].name

  dynamic "queue" {
    for_each = each.value

    content {
      id            = "${queue.value.zone}-to-${queue.value.queue}"
      queue_arn     = module.queues[queue.value.queue].arn
      events        = queue.value.events
      filter_prefix = "${queue.value.zone}/"
    }
  }

  # S3 tries the queue at once and fails if it may not send.
  depends_on = [module.queues]
}
