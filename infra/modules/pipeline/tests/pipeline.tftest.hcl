mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix  = "farm"
  network = { availability_zones = ["eu-central-1a", "eu-central-1b"] }

  hosts = {
    edge     = { instance_types = ["c7g.large"] }
    internal = { instance_types = ["m7g.large"] }
  }

  services = { ingest = {}, consumer = {}, windower = {}, writer = { scratch_gib = 10 }, reprocessor = {} }

  images = {
    ingest      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-ingest@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    consumer    = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-consumer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    windower    = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-windower@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    writer      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    reprocessor = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-reprocessor@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
}

run "it_is_what_the_topology_says" {
  assert {
    condition     = toset(keys(module.queues)) == toset(keys(local.topology.queues)) && toset(keys(module.buckets)) == toset(keys(local.topology.buckets))
    error_message = "Every queue and every bucket of the topology, and no others."
  }

  assert {
    condition     = toset(keys(module.service)) == toset(keys(local.topology.services))
    error_message = "Every service."
  }
}

run "events_of_a_zone_go_to_its_queue" {
  assert {
    condition     = [for queue in aws_s3_bucket_notification.events["raw"].queue : "${queue.filter_prefix} ${queue.queue_arn}"] == ["landing/ ${module.queues["landed"].arn}"]
    error_message = "What lands is told to the queue `landed`."
  }
}

run "ingest_shares_no_host_with_others" {
  assert {
    condition     = local.group == { ingest = "edge", consumer = "internal", windower = "internal", writer = "internal", reprocessor = "internal" }
    error_message = "What faces senders has hosts of its own."
  }
}

run "services_scale_by_what_they_consume" {
  assert {
    condition     = local.scaling["consumer"].queues == [module.queues["landed"].name] && local.scaling["ingest"].cpu_percent == 60
    error_message = "Consumers go by their queues, ingest by processor."
  }
}

run "operators_reach_the_reprocessor_through_a_host" {
  assert {
    condition     = aws_vpc_security_group_egress_rule.operators[0].from_port == local.topology.services.reprocessor.port
    error_message = "The host's group lets out what the reprocessor's lets in."
  }
}

run "on_fargate_there_is_a_door_for_operators" {
  variables {
    compute = "fargate"
  }

  assert {
    condition = (
      length(module.door) == 1 && keys(local.callers["reprocessor"]) == ["operators, through the door"] &&
      aws_vpc_security_group_egress_rule.operators[0].from_port == local.topology.services.reprocessor.port
    )
    error_message = "The door's group lets out what the reprocessor's lets in."
  }

  assert {
    condition     = alltrue([for name in keys(local.topology.services) : length(local.callers[name]) == 0 if name != "reprocessor"])
    error_message = "It leads to the reprocessor and to nobody else."
  }
}

run "the_door_is_a_switch" {
  variables {
    compute  = "fargate"
    has_door = false
  }

  assert {
    condition     = length(module.door) + length(aws_vpc_security_group_egress_rule.operators) + length(local.callers["reprocessor"]) == 0
    error_message = "Without it nothing is left of it."
  }
}

run "plain_instances_are_a_switch" {
  variables {
    compute = "hosts"
    front   = { domain = "ingest.example.com", certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/given", sender_cidrs = ["203.0.113.0/24"] }
  }

  assert {
    condition     = length(module.service) == 0 && length(module.cluster) == 0 && toset(keys(module.host)) == toset(keys(local.topology.services))
    error_message = "Every service has instances, and there is no ECS."
  }
}

run "what_is_not_asked_for_is_not_there" {
  assert {
    condition     = length(module.front) + length(module.stream) + length(module.producer) + length(module.replication) + length(module.schedule) + length(module.query) + length(module.serving) + length(module.backfill) == 0
    error_message = "Everything beside the pipeline itself is off."
  }
}

run "hosts_of_emr_are_let_in_only_where_they_are_asked_for" {
  variables {
    backfill = { is_enabled = true }
  }

  assert {
    condition     = !local.has_emr_hosts && local.lifecycles["staged"]["backfills/logs/"].expire_after_days == 90
    error_message = "The serverless application needs nothing of the network, and its logs expire as all others do."
  }
}

run "a_cluster_of_emr_is_a_switch" {
  variables {
    backfill = { is_enabled = true, cluster = {} }
  }

  assert {
    condition     = local.has_emr_hosts && output.backfill.cluster_id != null
    error_message = "The network is told, and whoever submits jobs."
  }
}

run "images_that_were_never_pushed_are_refused" {
  command = plan

  variables {
    images = {
      ingest      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-ingest@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      consumer    = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-consumer@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      windower    = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-windower@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      writer      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      reprocessor = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-reprocessor@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    }
  }

  expect_failures = [var.images]
}

run "an_unknown_service_is_refused" {
  command = plan

  variables {
    services = { ingest = {}, consumer = {}, windower = {}, writer = {}, reprocessor = {}, reporter = {} }
  }

  expect_failures = [var.services]
}

run "hosts_of_ingest_must_be_named" {
  command = plan

  variables {
    hosts = { internal = { instance_types = ["m7g.large"] } }
  }

  expect_failures = [var.hosts]
}
