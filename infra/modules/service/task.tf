# A task: one container without root, without capabilities and without a writable file system but /tmp.

locals {
  # Alive, not ready: ECS replaces what fails this. A worker that stopped itself because too much failed is not ready, and its
  # successor would receive again what it holds until the queue's redrive had drained it (law 9). Load balancers ask for ready.
  health_command = [
    "CMD", "python", "-c",
    "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['WINDROW_PORT'] + '/healthz', timeout=3)",
  ]

  environment = merge(
    {
      AWS_REGION             = data.aws_region.current.region
      WINDROW_PREFIX         = var.prefix
      WINDROW_PORT           = tostring(var.port)
      WINDROW_STOP_TIMEOUT_S = tostring(var.stop_timeout_s)
    },
    var.environment,
  )

  # Fargate knows no tmpfs, and large buckets are sorted on disk: then /tmp is a volume that lives as long as the task. It is
  # writable without root because the image declares /tmp as a volume.
  is_tmp_on_disk = local.is_fargate || var.scratch_gib != null

  container = {
    name                   = var.name
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    privileged             = false
    dockerSecurityOptions  = local.is_fargate ? [] : ["no-new-privileges"]
    stopTimeout            = var.stop_timeout_s + 5 # the drain ends by itself before it is ended
    environment            = [for name, value in local.environment : { name = name, value = value }]
    portMappings           = [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }]
    mountPoints            = local.is_tmp_on_disk ? [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }] : []

    linuxParameters = merge(
      {
        capabilities       = { add = [], drop = ["ALL"] }
        initProcessEnabled = true
      },
      local.is_tmp_on_disk ? {} : {
        tmpfs = [{ containerPath = "/tmp", size = var.tmp_mib, mountOptions = ["nodev", "noexec", "nosuid"] }]
      },
    )

    healthCheck = {
      command     = local.health_command
      interval    = 5
      timeout     = 4
      retries     = 6
      startPeriod = 30
    }

    # A log that cannot be delivered must not stop the pipeline.
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.tasks.name
        awslogs-region        = data.aws_region.current.region
        awslogs-stream-prefix = "task"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }
}

resource "aws_ecs_task_definition" "tasks" {
  family                   = local.name
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory_mib)
  network_mode             = "awsvpc"
  requires_compatibilities = [local.is_fargate ? "FARGATE" : "EC2"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.tasks.arn
  container_definitions    = jsonencode([local.container])
  skip_destroy             = false
  tags                     = merge(var.tags, { Name = local.name })

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = upper(var.architecture)
  }

  dynamic "volume" {
    for_each = local.is_tmp_on_disk ? ["tmp"] : []

    content {
      name = volume.value

      dynamic "docker_volume_configuration" {
        for_each = local.is_fargate ? [] : ["local"]

        content {
          scope  = "task"
          driver = docker_volume_configuration.value
        }
      }
    }
  }

  dynamic "ephemeral_storage" {
    for_each = local.is_fargate && var.scratch_gib != null ? [max(21, var.scratch_gib)] : []

    content {
      size_in_gib = ephemeral_storage.value
    }
  }
}
