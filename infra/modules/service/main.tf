# One service of Windrow on ECS: the same module for all of them.

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  name       = "${var.prefix}-${var.name}"
  is_fargate = var.capacity_provider == null
}

resource "aws_ecs_service" "tasks" {
  #checkov:skip=CKV_AWS_332:the latest platform version is what is taken when none is named
  name                   = local.name
  cluster                = var.cluster.arn
  task_definition        = aws_ecs_task_definition.tasks.arn
  desired_count          = var.scaling.min
  enable_execute_command = false # it would need a writable file system
  propagate_tags         = "SERVICE"
  tags                   = merge(var.tags, { Name = local.name })

  # A new task is healthy before an old one is told to stop, so nothing is ever down; what an old one had not finished when
  # its drain ends comes again, and is known.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  wait_for_steady_state              = var.waits_for_steady_state # so that `terraform apply` fails when a roll-out does
  health_check_grace_period_seconds  = length(var.target_group_arns) > 0 ? 60 : null
  availability_zone_rebalancing      = "ENABLED"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = local.is_fargate ? { FARGATE = 100 - var.fargate_spot_percent, FARGATE_SPOT = var.fargate_spot_percent } : { (var.capacity_provider) = 100 }

    content {
      capacity_provider = capacity_provider_strategy.key
      weight            = capacity_provider_strategy.value
    }
  }

  dynamic "ordered_placement_strategy" {
    for_each = local.is_fargate ? [] : [
      { type = "spread", field = "attribute:ecs.availability-zone" }, { type = "binpack", field = "memory" },
    ]

    content {
      type  = ordered_placement_strategy.value.type
      field = ordered_placement_strategy.value.field
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target_group_arns

    content {
      target_group_arn = load_balancer.value
      container_name   = var.name
      container_port   = var.port
    }
  }

  # How many tasks run is for the scaling to say.
  lifecycle {
    ignore_changes = [desired_count]
  }

  # What a task may do and where it may call, from its first second to the end of its drain.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy.tasks,
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.gateways,
  ]
}

resource "aws_cloudwatch_log_group" "tasks" {
  #checkov:skip=CKV_AWS_338:how long logs are kept is for each deployment to say
  name              = "/windrow/${var.prefix}/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}
