mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                     = "farm"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  endpoint_security_group_id = "sg-1"
}

run "it_is_one_small_host" {
  assert {
    condition     = aws_autoscaling_group.door.min_size == 1 && aws_autoscaling_group.door.max_size == 1 && aws_launch_template.door.instance_type == "t4g.nano"
    error_message = "One host, and the smallest."
  }

  assert {
    condition     = aws_launch_template.door.credit_specification[0].cpu_credits == "standard"
    error_message = "It costs its price by the hour and no more."
  }
}

run "there_is_a_small_host_of_either_architecture" {
  variables {
    architecture = "x86_64"
  }

  assert {
    condition     = aws_launch_template.door.instance_type == "t3.nano" && endswith(data.aws_ssm_parameter.image[0].name, "x86_64")
    error_message = "Type and image are of one architecture."
  }
}

run "it_reaches_systems_manager_and_is_told_no_more" {
  assert {
    condition     = aws_vpc_security_group_egress_rule.endpoints.referenced_security_group_id == "sg-1" && aws_vpc_security_group_egress_rule.endpoints.from_port == 443
    error_message = "It calls the interface endpoints; whom else, others say."
  }

  assert {
    condition = alltrue([
      for action in flatten(data.aws_iam_policy_document.door.statement[*].actions) : contains(["ec2messages", "ssm", "ssmmessages"], split(":", action)[0])
    ])
    error_message = "Its role is for being reached and for nothing else."
  }
}

run "it_gives_nothing_away" {
  assert {
    condition     = aws_launch_template.door.metadata_options[0].http_tokens == "required" && aws_launch_template.door.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 is required, and ends at the host."
  }

  assert {
    condition     = tobool(aws_launch_template.door.block_device_mappings[0].ebs[0].encrypted)
    error_message = "Its volume is encrypted."
  }
}

run "a_door_that_is_never_replaced_is_refused" {
  command = plan

  variables {
    max_age_days = 400
  }

  expect_failures = [var.max_age_days]
}
