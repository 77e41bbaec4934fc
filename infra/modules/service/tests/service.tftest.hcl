mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                     = "farm"
  name                       = "writer"
  image                      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  cluster                    = { name = "farm", arn = "arn:aws:ecs:eu-central-1:111122223333:cluster/farm" }
  capacity_provider          = "farm-internal"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  endpoint_security_group_id = "sg-1"
  gateway_prefix_list_ids    = { s3 = "pl-1", dynamodb = "pl-2" }
  port                       = 8083
  log_kms_key_arn            = "arn:aws:kms:eu-central-1:111122223333:key/logs"
  touches                    = { consumes = ["writes"], reads = ["lake"], writes = ["lake"] }
  scaling                    = { min = 1, max = 4, queues = ["farm-writes"], backlog_per_task = 200 }

  places = {
    zones      = { lake = { bucket_arn = "arn:aws:s3:::farm-lake", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/lake" } }
    queue_arns = { writes = "arn:aws:sqs:eu-central-1:111122223333:farm-writes" }
  }
}

run "a_worker_that_stopped_itself_is_not_replaced" {
  assert {
    condition     = strcontains(jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].healthCheck.command[3], "/healthz")
    error_message = "It is alive, though not ready; its successor would drain the queue into dead letters."
  }
}

run "a_container_is_confined" {
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].user == "10001:10001" &&
      jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].readonlyRootFilesystem &&
      jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].linuxParameters.capabilities.drop[0] == "ALL" &&
      jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].linuxParameters.initProcessEnabled
    )
    error_message = "No root, no capabilities, nothing writable, and a process that reaps."
  }
}

run "a_drain_ends_by_itself" {
  assert {
    condition     = jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].stopTimeout == 30
    error_message = "ECS kills five seconds after the service has given up."
  }
}

run "nothing_is_down_during_a_roll_out" {
  assert {
    condition = (
      aws_ecs_service.tasks.deployment_minimum_healthy_percent == 100 &&
      aws_ecs_service.tasks.deployment_circuit_breaker[0].enable && aws_ecs_service.tasks.deployment_circuit_breaker[0].rollback
    )
    error_message = "New tasks come before old ones go, and a roll-out that fails is undone."
  }
}

run "tasks_follow_the_backlog" {
  assert {
    condition = [
      for metric in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      metric.expression if metric.return_data
    ] == ["(q0) / running"]
    error_message = "Messages that wait, divided by tasks that run."
  }
}

run "sorting_on_disk_takes_a_volume" {
  variables {
    scratch_gib = 20
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].mountPoints[0].containerPath == "/tmp" &&
      !can(jsondecode(aws_ecs_task_definition.tasks.container_definitions)[0].linuxParameters.tmpfs)
    )
    error_message = "/tmp is either in memory or on disk."
  }
}

run "a_tag_is_no_image" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer:1.0.0"
  }

  expect_failures = [var.image]
}

run "a_backlog_per_no_task_is_refused" {
  command = plan

  variables {
    scaling = { min = 0, max = 4, queues = ["farm-writes"] }
  }

  expect_failures = [var.scaling]
}

run "scaling_needs_something_to_go_by" {
  command = plan

  variables {
    scaling = { min = 1, max = 4 }
  }

  expect_failures = [var.scaling]
}
