# A network without a way out: workers reach AWS through endpoints and nothing else, so there is no NAT to pay for.

data "aws_region" "current" {}

locals {
  zones = { for number, zone in var.availability_zones : zone => number }

  # How IAM calls what an endpoint leads to.
  namespaces = {
    "ecr.api"         = "ecr"
    "ecr.dkr"         = "ecr"
    "ecs"             = "ecs"
    "ecs-agent"       = "ecs"
    "ecs-telemetry"   = "ecs"
    "kinesis-streams" = "kinesis"
    "kms"             = "kms"
    "logs"            = "logs"
    "monitoring"      = "cloudwatch"
    "secretsmanager"  = "secretsmanager"
    "sqs"             = "sqs"
    "ssm"             = "ssm"
    "ssmmessages"     = "ssmmessages"
    "ec2messages"     = "ec2messages"
    "sts"             = "sts"
  }
}

resource "aws_vpc" "workers" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private names of endpoints need both
  tags                 = merge(var.tags, local.emr_tags, { Name = var.prefix })
}

# The group that everything falls into which names no other: it lets nothing through.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.workers.id
  tags   = merge(var.tags, { Name = "${var.prefix}-closed" })
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.workers.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)
  tags              = merge(var.tags, local.emr_tags, { Name = "${var.prefix}-private-${each.key}" })
}

# One table for all: it knows the network itself and what gateway endpoints add.
resource "aws_route_table" "private" {
  vpc_id = aws_vpc.workers.id
  tags   = merge(var.tags, { Name = "${var.prefix}-private" })
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}
