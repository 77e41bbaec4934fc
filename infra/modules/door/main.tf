# The way in for people where there are no hosts: one small host that nobody calls and that calls nobody but AWS, and whom
# it is let to. People come through Systems Manager, which asks for their names.

locals {
  name = "${var.prefix}-door"
}

data "aws_ssm_parameter" "image" {
  count = var.image_id == null ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.architecture}"
}

resource "aws_launch_template" "door" {
  name                   = local.name
  image_id               = var.image_id != null ? var.image_id : nonsensitive(data.aws_ssm_parameter.image[0].value)
  instance_type          = { arm64 = "t4g.nano", x86_64 = "t3.nano" }[var.architecture]
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.door.id]
  ebs_optimized          = true
  tags                   = merge(var.tags, { Name = local.name })

  iam_instance_profile {
    arn = aws_iam_instance_profile.door.arn
  }

  # Slow when it is busy for long, but never dearer than its price by the hour.
  credit_specification {
    cpu_credits = "standard"
  }

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
      volume_size           = 8
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

# A group of one: what breaks is replaced, and so is what grows old, by a patched image.
resource "aws_autoscaling_group" "door" {
  name                  = local.name
  min_size              = 1
  max_size              = 1
  vpc_zone_identifier   = var.subnet_ids
  health_check_type     = "EC2"
  max_instance_lifetime = var.max_age_days * 86400
  enabled_metrics       = ["GroupInServiceInstances"]

  launch_template {
    id      = aws_launch_template.door.id
    version = aws_launch_template.door.latest_version
  }

  # Nothing runs there, so a change need not wait: the one goes, then the other comes.
  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage = 0
    }
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = local.name })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false # the launch template tags instances
    }
  }

  # Without its rights and its way out it never tells Systems Manager that it is there.
  depends_on = [aws_iam_role_policy.door, aws_vpc_security_group_egress_rule.endpoints]
}

resource "aws_security_group" "door" {
  #checkov:skip=CKV2_AWS_5:attached by the launch template, which checkov does not follow
  name        = local.name
  description = "The door for people: nothing in; AWS out"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.door.id
  description                  = "AWS through interface endpoints"
  referenced_security_group_id = var.endpoint_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(var.tags, { Name = local.name })
}
