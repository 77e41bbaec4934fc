# One page: how fresh each stream is, what waits, what failed, and how the hosts are.

locals {
  region = data.aws_region.current.region

  rows = [
    {
      title = "Seconds from arrival to table (max)"
      stat  = "Maximum"
      lines = [for stream in sort(keys(var.streams)) : [local.namespace, "CommitBehind", "stream", stream]]
    },
    {
      title = "Records committed"
      stat  = "Sum"
      lines = [for stream in sort(keys(var.streams)) : [local.namespace, "RecordsCommitted", "stream", stream]]
    },
    {
      title = "Records quarantined"
      stat  = "Sum"
      lines = [for stream in sort(keys(var.streams)) : [local.namespace, "RecordsQuarantined", "stream", stream]]
    },
    {
      title = "Age of the oldest message (s)"
      stat  = "Maximum"
      lines = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name]]
    },
    {
      title = "Messages waiting"
      stat  = "Maximum"
      lines = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name]]
    },
    {
      title = "Messages buried"
      stat  = "Sum"
      lines = [for queue in sort(keys(var.queues)) : [local.namespace, "MessagesDeadLettered", "queue", queue]]
    },
    {
      title = "Errors logged"
      stat  = "Sum"
      lines = [for service in sort(keys(var.log_groups)) : [local.namespace, "Errors", "service", service]]
    },
    {
      title = "Clusters: processor and memory (%)"
      stat  = "Average"
      lines = [for each in values(local.cluster_pressure) : ["AWS/ECS", "${each.resource}Utilization", "ClusterName", each.cluster]]
    },
    {
      title = "Hosts: processor (%)"
      stat  = "Average"
      lines = [for group in sort(tolist(var.host_groups)) : ["AWS/EC2", "CPUUtilization", "AutoScalingGroupName", group]]
    },
  ]

  # CloudWatch refuses a widget without a line.
  shown = [for row in local.rows : row if length(row.lines) > 0]
}

resource "aws_cloudwatch_dashboard" "pipeline" {
  dashboard_name = var.prefix

  dashboard_body = jsonencode({
    widgets = [
      for number, row in local.shown : {
        type   = "metric"
        x      = (number % 3) * 8
        y      = floor(number / 3) * 6
        width  = 8
        height = 6
        properties = {
          title   = row.title
          region  = local.region
          stat    = row.stat
          period  = 60
          view    = "timeSeries"
          metrics = row.lines
        }
      }
    ]
  })
}
