# One service on instances of its own, without ECS: systemd runs the same container. Each service has instances of its own
# because a container takes its credentials from its instance, so instances are what keeps the services' roles apart.

data "aws_region" "current" {}

locals {
  name = "${var.prefix}-${var.name}"

  environment = merge(
    {
      AWS_REGION             = data.aws_region.current.region
      WINDROW_PREFIX         = var.prefix
      WINDROW_PORT           = tostring(var.port)
      WINDROW_STOP_TIMEOUT_S = tostring(var.stop_timeout_s)
    },
    var.environment,
  )
}

data "aws_ssm_parameter" "image" {
  count = var.image_id == null ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

resource "aws_launch_template" "host" {
  name                   = local.name
  image_id               = var.image_id != null ? var.image_id : nonsensitive(data.aws_ssm_parameter.image[0].value)
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.host.id]
  ebs_optimized          = true
  tags                   = merge(var.tags, { Name = local.name })

  user_data = base64encode(templatefile("${path.module}/user_data.sh.tftpl", {
    image          = var.image
    registry       = split("/", var.image)[0]
    environment    = join("\n", [for name, value in local.environment : "${name}=${value}"])
    memory_mib     = var.memory_mib
    tmp_mib        = var.tmp_mib
    is_tmp_on_disk = var.is_tmp_on_disk
    stop_timeout_s = var.stop_timeout_s + 5 # the drain ends by itself before it is ended
    region         = data.aws_region.current.region
    log_group      = aws_cloudwatch_log_group.host.name
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.host.arn
  }

  # The container shares the host's network, so the metadata service is one hop away; from anywhere else it is too far.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_gib
      encrypted             = true
      kms_key_id            = var.volume_kms_key_arn
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(var.tags, { Name = local.name })
    }
  }
}

resource "aws_autoscaling_group" "host" {
  name                      = local.name
  min_size                  = var.scaling.min
  max_size                  = var.scaling.max
  vpc_zone_identifier       = var.subnet_ids
  target_group_arns         = var.target_group_arns
  health_check_type         = length(var.target_group_arns) > 0 ? "ELB" : "EC2"
  health_check_grace_period = 300
  default_instance_warmup   = 180
  capacity_rebalance        = var.spot_percent > 0
  max_instance_lifetime     = var.max_age_days * 86400 # so that every instance comes to run a patched image
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupTotalInstances"]

  mixed_instances_policy {
    instances_distribution {
      on_demand_percentage_above_base_capacity = 100 - var.spot_percent
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.host.id
        version            = aws_launch_template.host.latest_version
      }

      dynamic "override" {
        for_each = var.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  # A roll-out replaces instances: new ones first, and back again if they do not come up.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 200
      auto_rollback          = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = local.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false # the launch template tags instances
    }
  }

  # What an instance may do and where it may call, from its first second to the end of its drain.
  depends_on = [
    aws_iam_role_policy.host,
    aws_iam_role_policy.topology,
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.gateways,
  ]
}

resource "aws_cloudwatch_log_group" "host" {
  #checkov:skip=CKV_AWS_338:how long logs are kept is for each deployment to say
  name              = "/windrow/${var.prefix}/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}
