mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                     = "farm"
  name                       = "writer"
  image                      = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-1", "subnet-2"]
  endpoint_security_group_id = "sg-1"
  gateway_prefix_list_ids    = { s3 = "pl-1", dynamodb = "pl-2" }
  port                       = 8083
  log_kms_key_arn            = "arn:aws:kms:eu-central-1:111122223333:key/logs"
  touches                    = { consumes = ["writes"], reads = ["lake"], writes = ["lake"] }

  places = {
    zones      = { lake = { bucket_arn = "arn:aws:s3:::farm-lake", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/lake" } }
    queue_arns = { writes = "arn:aws:sqs:eu-central-1:111122223333:farm-writes" }
  }
}

run "a_container_is_confined_as_on_ecs" {
  assert {
    condition = alltrue([
      for flag in ["--user=10001:10001", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--init"] :
      strcontains(base64decode(aws_launch_template.host.user_data), flag)
    ])
    error_message = "No root, no capabilities, nothing writable, and a process that reaps."
  }
}

run "the_image_is_the_one_that_was_pushed" {
  assert {
    condition     = strcontains(base64decode(aws_launch_template.host.user_data), "docker pull --quiet ${var.image}")
    error_message = "Instances run the digest."
  }
}

run "the_metadata_service_ends_at_the_host" {
  assert {
    condition     = aws_launch_template.host.metadata_options[0].http_tokens == "required" && aws_launch_template.host.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 is required, and ends at the host."
  }
}

run "a_roll_out_starts_new_instances_first" {
  assert {
    condition     = aws_autoscaling_group.host.instance_refresh[0].preferences[0].min_healthy_percentage == 100
    error_message = "Nothing is down during a roll-out."
  }
}

run "a_tag_is_no_image" {
  command = plan

  variables {
    image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/farm-writer:1.0.0"
  }

  expect_failures = [var.image]
}
