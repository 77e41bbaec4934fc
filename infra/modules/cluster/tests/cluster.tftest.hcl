mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                     = "farm"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  endpoint_security_group_id = "sg-1"
  s3_prefix_list_id          = "pl-1"
  hosts = {
    edge     = { instance_types = ["m7g.large"], max = 2 }
    internal = { instance_types = ["m7g.large", "m6g.large"], max = 4, spot_percent = 80, on_demand_base = 1 }
  }
}

run "groups_do_not_share_hosts" {
  assert {
    condition     = toset(values(aws_ecs_capacity_provider.hosts)[*].name) == toset(["farm-edge", "farm-internal"])
    error_message = "Every group is a capacity provider of its own."
  }
}

run "a_container_does_not_reach_the_credentials_of_its_host" {
  assert {
    condition = alltrue([
      for template in aws_launch_template.hosts :
      template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1
    ])
    error_message = "IMDSv2 is required, and ends at the host."
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.hosts : strcontains(base64decode(template.user_data), "ECS_AWSVPC_BLOCK_IMDS=true")])
    error_message = "The agent keeps tasks from the metadata service."
  }
}

run "volumes_are_encrypted" {
  assert {
    condition     = alltrue([for template in aws_launch_template.hosts : tobool(template.block_device_mappings[0].ebs[0].encrypted)])
    error_message = "Hosts' volumes are encrypted."
  }
}

run "spot_is_an_option" {
  assert {
    condition = (
      aws_autoscaling_group.hosts["edge"].mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 100 &&
      aws_autoscaling_group.hosts["internal"].mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 20
    )
    error_message = "Spot only where it was asked for."
  }
}

run "fargate_has_no_hosts" {
  variables {
    is_fargate = true
  }

  assert {
    condition     = length(aws_autoscaling_group.hosts) == 0 && contains(aws_ecs_cluster_capacity_providers.workers.capacity_providers, "FARGATE")
    error_message = "On Fargate nothing is left of the hosts."
  }
}

run "a_group_that_cannot_have_a_host_is_refused" {
  command = plan

  variables {
    hosts = { edge = { instance_types = ["m7g.large"], min = 2, max = 1 } }
  }

  expect_failures = [var.hosts]
}
