# Where containers run: hosts in groups that do not share trust, each group an auto-scaling group behind a capacity provider.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_ecs_cluster" "workers" {
  name = var.prefix
  tags = merge(var.tags, { Name = var.prefix })

  # Services scale on messages per running task, and this is where the running tasks are counted.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "workers" {
  cluster_name       = aws_ecs_cluster.workers.name
  capacity_providers = var.is_fargate ? ["FARGATE", "FARGATE_SPOT"] : values(aws_ecs_capacity_provider.hosts)[*].name
}

resource "aws_ecs_capacity_provider" "hosts" {
  for_each = local.groups

  name = "${var.prefix}-${each.key}"
  tags = merge(var.tags, { Name = "${var.prefix}-${each.key}" })

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.hosts[each.key].arn
    managed_termination_protection = "ENABLED" # a host with tasks on it is not scaled in
    managed_draining               = "ENABLED" # and one that must go is emptied first

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = each.value.target_percent
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = each.value.max_step
      instance_warmup_period    = 120
    }
  }
}
