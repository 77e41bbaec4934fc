# Where hosts of the cluster may call: each other, AWS, and EMR through an endpoint of its own. Without groups of ours EMR would
# make some, which nothing destroys.

locals {
  protocols = var.cluster == null ? {} : { tcp = { from = 0, to = 65535 }, udp = { from = 0, to = 65535 }, icmp = { from = -1, to = -1 } }
}

# One group for all hosts. EMR adds what it misses of the rules below, so the group lets go of all rules before it goes.
resource "aws_security_group" "nodes" {
  #checkov:skip=CKV2_AWS_5:EMR attaches it, through ec2_attributes
  for_each = local.clusters

  name                   = "${local.name}-nodes"
  description            = "Hosts of the cluster ${local.name}"
  vpc_id                 = var.vpc_id
  revoke_rules_on_delete = true
  tags                   = merge(var.tags, local.managed, { Name = "${local.name}-nodes" })
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  #checkov:skip=CKV_AWS_24:all ports, but only from members of the same group
  #checkov:skip=CKV_AWS_25:see the first reason
  #checkov:skip=CKV_AWS_260:see the first reason
  for_each = local.protocols

  security_group_id            = aws_security_group.nodes["ec2"].id
  description                  = "Hosts to each other"
  referenced_security_group_id = aws_security_group.nodes["ec2"].id
  ip_protocol                  = each.key
  from_port                    = each.value.from
  to_port                      = each.value.to
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  for_each = local.clusters

  security_group_id            = aws_security_group.nodes[each.key].id
  description                  = "Hosts to each other"
  referenced_security_group_id = aws_security_group.nodes[each.key].id
  ip_protocol                  = "-1"
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "nodes_endpoints" {
  for_each = local.clusters

  security_group_id            = aws_security_group.nodes[each.key].id
  description                  = "AWS, through interface endpoints"
  referenced_security_group_id = var.endpoints_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "nodes_s3" {
  for_each = local.clusters

  security_group_id = aws_security_group.nodes[each.key].id
  description       = "S3, through the gateway endpoint"
  prefix_list_id    = var.s3_prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "nodes_service" {
  for_each = local.clusters

  security_group_id            = aws_security_group.nodes[each.key].id
  description                  = "EMR, through its endpoint"
  referenced_security_group_id = aws_security_group.service[each.key].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

# Hosts ask EMR what to do, through this endpoint; releases before 8.0 were called by EMR instead (ports 8443 and 9443). EMR
# would make it itself, and nothing would destroy it. One zone is enough: the cluster stands in one.
resource "aws_vpc_endpoint" "emr" {
  for_each = local.clusters

  vpc_id              = var.vpc_id
  service_name        = "aws.api.${data.aws_region.current.region}.emr-service-cell01"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [var.subnet_ids[0]]
  security_group_ids  = [aws_security_group.service[each.key].id]
  tags                = merge(var.tags, local.managed, { Name = "${local.name}-service" })
}

resource "aws_security_group" "service" {
  for_each = local.clusters

  name                   = "${local.name}-service"
  description            = "EMR's endpoint: HTTPS from inside the network"
  vpc_id                 = var.vpc_id
  revoke_rules_on_delete = true
  tags                   = merge(var.tags, local.managed, { Name = "${local.name}-service" })
}

# From the whole network and not only from hosts, as EMR's guide has it: what it misses of its rules EMR adds.
resource "aws_vpc_security_group_ingress_rule" "service" {
  for_each = local.clusters

  security_group_id = aws_security_group.service[each.key].id
  description       = "HTTPS from inside the network"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}
