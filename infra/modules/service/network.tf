# Who may call the service, and where it may call: those who are named, and AWS.

resource "aws_security_group" "tasks" {
  name        = local.name
  description = "Tasks of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_ingress_rule" "callers" {
  for_each = var.callers

  security_group_id            = aws_security_group.tasks.id
  description                  = each.key
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  tags                         = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "AWS through interface endpoints"
  referenced_security_group_id = var.endpoint_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_egress_rule" "gateways" {
  for_each = { for service, list in var.gateway_prefix_list_ids : service => list if service == "s3" || var.touches.puts_latest }

  security_group_id = aws_security_group.tasks.id
  description       = "${each.key} through its gateway endpoint"
  prefix_list_id    = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(var.tags, { Name = local.name })
}
