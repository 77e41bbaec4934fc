# As many instances as the backlog asks for: messages that wait, divided by instances, is kept at a number.

locals {
  is_scaled = var.scaling.max > var.scaling.min
  waiting   = { for number, queue in var.scaling.queues : "q${number}" => queue }
}

resource "aws_autoscaling_policy" "backlog" {
  count = local.is_scaled && length(var.scaling.queues) > 0 ? 1 : 0

  name                   = "${local.name}-backlog"
  autoscaling_group_name = aws_autoscaling_group.host.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scaling.backlog_per_task

    customized_metric_specification {
      dynamic "metrics" {
        for_each = local.waiting

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = "AWS/SQS"
              metric_name = "ApproximateNumberOfMessagesVisible"

              dimensions {
                name  = "QueueName"
                value = metrics.value
              }
            }
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/AutoScaling"
            metric_name = "GroupInServiceInstances"

            dimensions {
              name  = "AutoScalingGroupName"
              value = aws_autoscaling_group.host.name
            }
          }
        }
      }

      metrics {
        id          = "backlog"
        label       = "messages that wait, per instance"
        expression  = "(${join(" + ", keys(local.waiting))}) / running"
        return_data = true
      }
    }
  }
}

resource "aws_autoscaling_policy" "cpu" {
  count = local.is_scaled && var.scaling.cpu_percent != null ? 1 : 0

  name                   = "${local.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.host.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scaling.cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
