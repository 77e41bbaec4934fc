# The whole of Windrow on AWS, composed from the topology that the local stack and the tests read too. There is a file per
# concern and none per service: the services differ in what the topology says and in numbers, and a loop says that.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  topology = jsondecode(file("${path.module}/../../topology.json"))
  tags     = merge(var.tags, { deployment = var.prefix })

  # What a service touches, with nothing left out, so that all of them have one shape.
  touches = {
    for name, service in local.topology.services : name => {
      consumes    = try(service.consumes, [])
      produces    = try(service.produces, [])
      reads       = try(service.reads, [])
      confirms    = try(service.confirms, [])
      writes      = try(service.writes, [])
      deletes     = try(service.deletes, [])
      puts_latest = try(service.puts_latest, false)
    }
  }

  alarm_topic_arns = [module.watch.topic_arn]
}

# Logs are encrypted with a key of their own: who may read what a service says may not thereby read data.
module "log_key" {
  source = "../key"

  prefix   = var.prefix
  tags     = local.tags
  name     = "logs"
  purpose  = "logs"
  services = ["logs.amazonaws.com"]
}

module "network" {
  source = "../network"

  prefix             = var.prefix
  tags               = local.tags
  cidr               = var.network.cidr
  availability_zones = var.network.availability_zones
  has_public_subnets = try(var.front.kind, "") == "balancer"
  has_emr            = local.has_emr_hosts
  bucket_arns        = [for bucket in module.buckets : bucket.arn]
  log_kms_key_arn    = module.log_key.arn

  interface_services = setsubtract(
    ["ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "kinesis-streams", "kms", "logs", "monitoring", "secretsmanager", "sqs", "ssm", "ssmmessages", "ec2messages", "sts"],
    concat(
      var.compute == "ecs" ? [] : ["ecs", "ecs-agent", "ecs-telemetry"],
      var.compute == "fargate" && !local.has_door ? ["ssm", "ssmmessages", "ec2messages"] : [],
      var.kinesis.is_enabled ? [] : ["kinesis-streams"],
      local.has_emr_hosts ? [] : ["kms"],
    ),
  )
}
