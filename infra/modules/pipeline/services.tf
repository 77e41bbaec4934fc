# Every service of the topology, on ECS or on plain instances.

locals {
  # Ingest is the one that faces senders. It does not share hosts with those that read what they sent.
  facing = "ingest"
  group  = { for name in keys(local.topology.services) : name => name == local.facing ? "edge" : "internal" }

  places = {
    zones              = local.zones
    queue_arns         = local.queue_arns
    table_arns         = values(module.serving)[*].table_arn
    table_kms_key_arns = [for key in module.serving_key : key.arn]
  }

  # Scaling goes by what waits in the queues that a service consumes; ingest consumes none and goes by processor.
  scaling = {
    for name, numbers in var.services : name => {
      min              = numbers.min
      max              = numbers.max
      queues           = [for queue in local.touches[name].consumes : local.queue_names[queue]]
      backlog_per_task = numbers.backlog_per_task
      cpu_percent      = length(local.touches[name].consumes) > 0 ? null : numbers.cpu_percent
    }
  }

  # Where people stand who call the reprocessor. A plain instance needs nobody to lead to it: it is reached itself.
  has_door = var.compute == "fargate" && var.has_door
  operators = merge(
    var.compute == "ecs" ? { "operators, through a host" = module.cluster[0].host_security_group_id } : {},
    local.has_door ? { "operators, through the door" = module.door[0].security_group_id } : {},
  )

  callers = {
    for name in keys(local.topology.services) : name => merge(
      name == local.facing && var.front != null ? { "the load balancer" = module.front[0].security_group_id } : {},
      name == "reprocessor" ? local.operators : {},
    )
  }

  target_group_arns = {
    for name in keys(local.topology.services) : name => name == local.facing && var.front != null ? [module.front[0].target_group_arn] : []
  }

  security_group_ids = merge(
    { for name, service in module.service : name => service.security_group_id },
    { for name, service in module.host : name => service.security_group_id },
  )

  log_groups = merge(
    { for name, service in module.service : name => service.log_group },
    { for name, service in module.host : name => service.log_group },
  )
}

module "cluster" {
  source = "../cluster"
  count  = var.compute == "hosts" ? 0 : 1

  prefix                     = var.prefix
  tags                       = local.tags
  is_fargate                 = var.compute == "fargate"
  architecture               = var.architecture
  hosts                      = var.hosts
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.private_subnet_ids
  endpoint_security_group_id = module.network.endpoint_security_group_id
  s3_prefix_list_id          = module.network.gateway_prefix_list_ids.s3
}

module "service" {
  source   = "../service"
  for_each = { for name, service in local.topology.services : name => service if var.compute != "hosts" }

  prefix                     = var.prefix
  tags                       = local.tags
  name                       = each.key
  image                      = var.images[each.key]
  cluster                    = { name = module.cluster[0].name, arn = module.cluster[0].arn }
  capacity_provider          = var.compute == "fargate" ? null : module.cluster[0].capacity_providers[local.group[each.key]]
  architecture               = var.architecture
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.private_subnet_ids
  endpoint_security_group_id = module.network.endpoint_security_group_id
  gateway_prefix_list_ids    = module.network.gateway_prefix_list_ids
  callers                    = local.callers[each.key]
  target_group_arns          = local.target_group_arns[each.key]
  port                       = each.value.port
  touches                    = local.touches[each.key]
  places                     = local.places
  environment                = var.services[each.key].environment
  cpu                        = var.services[each.key].cpu
  memory_mib                 = var.services[each.key].memory_mib
  scratch_gib                = var.services[each.key].scratch_gib
  scaling                    = local.scaling[each.key]
  log_retention_days         = var.log_retention_days
  log_kms_key_arn            = module.log_key.arn
}

module "host" {
  source   = "../host"
  for_each = { for name, service in local.topology.services : name => service if var.compute == "hosts" }

  prefix                     = var.prefix
  tags                       = local.tags
  name                       = each.key
  image                      = var.images[each.key]
  architecture               = var.architecture
  instance_types             = var.hosts[local.group[each.key]].instance_types
  spot_percent               = var.hosts[local.group[each.key]].spot_percent
  volume_gib                 = var.hosts[local.group[each.key]].volume_gib
  max_age_days               = var.hosts[local.group[each.key]].max_age_days
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.private_subnet_ids
  endpoint_security_group_id = module.network.endpoint_security_group_id
  gateway_prefix_list_ids    = module.network.gateway_prefix_list_ids
  callers                    = local.callers[each.key]
  target_group_arns          = local.target_group_arns[each.key]
  port                       = each.value.port
  touches                    = local.touches[each.key]
  places                     = local.places
  environment                = var.services[each.key].environment
  memory_mib                 = var.services[each.key].memory_mib
  is_tmp_on_disk             = var.services[each.key].scratch_gib != null
  scaling                    = local.scaling[each.key]
  log_retention_days         = var.log_retention_days
  log_kms_key_arn            = module.log_key.arn
}

module "door" {
  source = "../door"
  count  = local.has_door ? 1 : 0

  prefix                     = var.prefix
  tags                       = local.tags
  architecture               = var.architecture
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.private_subnet_ids
  endpoint_security_group_id = module.network.endpoint_security_group_id
}

# The other half of `callers`: what a host may do is said by its group, and that lets out nothing but calls of AWS.
resource "aws_vpc_security_group_egress_rule" "operators" {
  count = length(local.operators)

  security_group_id            = one(values(local.operators))
  description                  = "Operators to the reprocessor"
  referenced_security_group_id = module.service["reprocessor"].security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.topology.services.reprocessor.port
  to_port                      = local.topology.services.reprocessor.port
  tags                         = merge(local.tags, { Name = "${var.prefix}-operators" })
}

module "front" {
  source = "../front"
  count  = var.front == null ? 0 : 1

  prefix                   = var.prefix
  tags                     = local.tags
  kind                     = var.front.kind
  domain                   = var.front.domain
  certificate_arn          = var.front.certificate_arn
  jwt                      = var.front.jwt
  sender_cidrs             = var.front.sender_cidrs
  takes_anyone             = var.front.takes_anyone
  max_requests_per_s       = var.front.max_requests_per_s
  max_burst_requests       = var.front.max_burst_requests
  max_requests_per_sender  = var.front.max_requests_per_sender
  vpc_id                   = module.network.vpc_id
  private_subnet_ids       = module.network.private_subnet_ids
  public_subnet_ids        = module.network.public_subnet_ids
  target_type              = var.compute == "hosts" ? "instance" : "ip" # an auto-scaling group registers nothing else
  target_security_group_id = local.security_group_ids[local.facing]
  port                     = local.topology.services[local.facing].port
  access_log_bucket        = module.logs.name
  is_protected             = !var.is_disposable
  log_retention_days       = var.log_retention_days
  log_kms_key_arn          = module.log_key.arn
}
