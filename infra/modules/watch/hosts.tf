# Pressure on hosts: processor and memory as ECS sees them, and machines that AWS itself finds broken.

locals {
  cluster_pressure = merge([
    for cluster in var.clusters : {
      for resource in ["CPU", "Memory"] : "${cluster}-${lower(resource)}" => { cluster = cluster, resource = resource }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "cluster" {
  for_each = local.cluster_pressure

  alarm_name          = "${each.key}-pressure"
  alarm_description   = "${each.value.resource} of the cluster ${each.value.cluster} is used by more than ${var.max_host_percent} % for a quarter of an hour: it cannot scale further, or not fast enough."
  namespace           = "AWS/ECS"
  metric_name         = "${each.value.resource}Utilization"
  dimensions          = { ClusterName = each.value.cluster }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = var.max_host_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "host_cpu" {
  for_each = var.host_groups

  alarm_name          = "${each.value}-cpu"
  alarm_description   = "The hosts of ${each.value} are busy by more than ${var.max_host_percent} % for a quarter of an hour."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { AutoScalingGroupName = each.value }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 3
  threshold           = var.max_host_percent
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "host_broken" {
  for_each = var.host_groups

  alarm_name          = "${each.value}-broken"
  alarm_description   = "A host of ${each.value} fails the checks of EC2."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { AutoScalingGroupName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}
