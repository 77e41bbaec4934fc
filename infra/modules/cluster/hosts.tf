locals {
  groups = var.is_fargate ? {} : var.hosts
}

data "aws_ssm_parameter" "image" {
  count = var.is_fargate || var.image_id != null ? 0 : 1

  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/${var.architecture == "arm64" ? "arm64/" : ""}recommended/image_id"
}

resource "aws_launch_template" "hosts" {
  for_each = local.groups

  name                   = "${var.prefix}-${each.key}"
  image_id               = var.image_id != null ? var.image_id : nonsensitive(data.aws_ssm_parameter.image[0].value)
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.hosts.id]
  ebs_optimized          = true
  tags                   = merge(var.tags, { Name = "${var.prefix}-${each.key}" })

  user_data = base64encode(templatefile("${path.module}/user_data.sh.tftpl", {
    cluster        = aws_ecs_cluster.workers.name
    group          = each.key
    stop_timeout_s = var.stop_timeout_s
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.hosts[each.key].arn
  }

  # A container behind its own interface is one hop further away than the host: the host's credentials do not reach it.
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
      volume_size           = each.value.volume_gib
      encrypted             = true
      kms_key_id            = var.volume_kms_key_arn
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(var.tags, { Name = "${var.prefix}-${each.key}" })
    }
  }
}

resource "aws_autoscaling_group" "hosts" {
  for_each = local.groups

  name                  = "${var.prefix}-${each.key}"
  min_size              = each.value.min
  max_size              = each.value.max
  vpc_zone_identifier   = var.subnet_ids
  protect_from_scale_in = true # ECS lifts it from hosts without tasks
  force_delete          = true # or the protection would keep `terraform destroy` waiting for ever
  capacity_rebalance    = each.value.spot_percent > 0
  health_check_type     = "EC2"
  max_instance_lifetime = each.value.max_age_days * 86400 # so that every host comes to run a patched image
  enabled_metrics       = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupTotalInstances"]

  mixed_instances_policy {
    instances_distribution {
      on_demand_base_capacity                  = each.value.on_demand_base
      on_demand_percentage_above_base_capacity = 100 - each.value.spot_percent
      spot_allocation_strategy                 = "price-capacity-optimized"
    }

    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.hosts[each.key].id
        version            = aws_launch_template.hosts[each.key].latest_version
      }

      dynamic "override" {
        for_each = each.value.instance_types

        content {
          instance_type = override.value
        }
      }
    }
  }

  # A host needs its rights and its way out as long as it stands, or ECS never hears that its tasks have stopped and destroy hangs.
  depends_on = [
    aws_iam_role_policy.hosts,
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.s3,
  ]

  # ECS sets the number of hosts from now on.
  lifecycle {
    ignore_changes = [desired_capacity]
  }

  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = "${var.prefix}-${each.key}" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false # the launch template tags instances
    }
  }
}

# Nobody calls a host: tasks have interfaces and groups of their own, and people come through Systems Manager.
resource "aws_security_group" "hosts" {
  #checkov:skip=CKV2_AWS_5:attached by the launch template, which checkov does not follow
  name        = "${var.prefix}-hosts"
  description = "Container hosts: nothing in; AWS out"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.prefix}-hosts" })
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.hosts.id
  description                  = "AWS through interface endpoints"
  referenced_security_group_id = var.endpoint_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(var.tags, { Name = "${var.prefix}-hosts" })
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.hosts.id
  description       = "Layers of images, which lie in S3"
  prefix_list_id    = var.s3_prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(var.tags, { Name = "${var.prefix}-hosts" })
}
