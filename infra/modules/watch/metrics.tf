# What only the services know, as CloudWatch metrics. Each filter reads one of the structured lines that they log; a test
# (tests/infra) holds every event and field named here against the code.

locals {
  namespace = "Windrow/${var.prefix}"

  # Events of streams and queues, by the metric they become: who logs them, and which field counts (null: the line itself).
  events = {
    RecordsDecoded       = { services = ["consumer"], event = "batch_decoded", field = "decoded", by = "stream", unit = "Count" }
    RecordsQuarantined   = { services = ["consumer"], event = "batch_decoded", field = "quarantined", by = "stream", unit = "Count" }
    RecordsCommitted     = { services = ["writer"], event = "records_committed", field = "rows", by = "stream", unit = "Count" }
    CommitBehind         = { services = ["writer"], event = "records_committed", field = "behind_s", by = "stream", unit = "Seconds" }
    StreamsHalted        = { services = ["consumer"], event = "stream_halted", field = null, by = "stream", unit = "Count" }
    MessagesDeadLettered = { services = ["consumer", "windower", "writer"], event = "message_dead_lettered", field = null, by = "queue", unit = "Count" }
    ConsumersStopped     = { services = ["consumer", "windower", "writer"], event = "consumer_stopped", field = null, by = "queue", unit = "Count" }
  }

  event_filters = merge([
    for metric, event in local.events : {
      for service in event.services : "${metric}-${service}" => merge(event, { metric = metric, service = service })
      if contains(keys(var.log_groups), service)
    }
  ]...)
}

resource "aws_cloudwatch_log_metric_filter" "event" {
  for_each = local.event_filters

  name           = "${var.prefix}-${each.key}"
  log_group_name = var.log_groups[each.value.service]
  pattern        = "{ $.event = \"${each.value.event}\" }"

  metric_transformation {
    namespace  = local.namespace
    name       = each.value.metric
    value      = each.value.field == null ? "1" : "$.${each.value.field}"
    unit       = each.value.unit
    dimensions = { (each.value.by) = "$.${each.value.by}" }
  }
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  for_each = var.log_groups

  name           = "${var.prefix}-errors-${each.key}"
  log_group_name = each.value
  pattern        = "{ $.level = \"error\" || $.level = \"critical\" }"

  metric_transformation {
    namespace  = local.namespace
    name       = "Errors"
    value      = "1"
    unit       = "Count"
    dimensions = { service = "$.service" }
  }
}
