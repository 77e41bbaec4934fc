mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix             = "farm"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  bucket_arns        = ["arn:aws:s3:::farm-raw", "arn:aws:s3:::farm-lake"]
  log_kms_key_arn    = "arn:aws:kms:eu-central-1:111122223333:key/given"
}

run "workers_have_no_way_out" {
  assert {
    condition     = length(aws_internet_gateway.front) == 0 && length(aws_subnet.public) == 0 && length(aws_route_table.public) == 0
    error_message = "Nothing leads to the internet unless a public load balancer asks for it."
  }

  assert {
    condition     = length(coalesce(aws_route_table.private.route, [])) == 0
    error_message = "The workers' routes know the network and what gateway endpoints add."
  }
}

run "zones_do_not_overlap" {
  variables {
    has_public_subnets = true
  }

  assert {
    condition     = [for zone in var.availability_zones : aws_subnet.private[zone].cidr_block] == ["10.60.0.0/20", "10.60.16.0/20"]
    error_message = "Each zone gets a sixteenth of the network."
  }

  assert {
    condition     = [for zone in var.availability_zones : aws_subnet.public[zone].cidr_block] == ["10.60.240.0/23", "10.60.242.0/23"]
    error_message = "Public subnets lie in the last sixteenth, which no zone has."
  }
}

run "the_door_to_s3_lets_nothing_out" {
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.s3.statement : statement.resources if contains(statement.actions, "s3:PutObject")
    ])) == toset(["arn:aws:s3:::farm-raw/*", "arn:aws:s3:::farm-lake/*"])
    error_message = "Objects can be put into the deployment's own buckets alone."
  }
}

run "emr_is_let_in_only_if_it_is_there" {
  assert {
    condition     = length(coalesce(data.aws_iam_policy_document.s3.source_policy_documents, [])) == 0 && !contains(keys(aws_vpc.workers.tags), "for-use-with-amazon-emr-managed-policies")
    error_message = "Without EMR its buckets are out of reach, and its role can start nothing here."
  }
}

run "emr_finds_its_tag_and_its_buckets" {
  variables {
    has_emr = true
  }

  assert {
    condition = alltrue([
      for tags in concat([aws_vpc.workers.tags], values(aws_subnet.private)[*].tags) : tags["for-use-with-amazon-emr-managed-policies"] == "true"
    ])
    error_message = "AWS's policy for EMR asks for the tag on the network and on its subnets."
  }

  assert {
    condition     = length(data.aws_iam_policy_document.s3.source_policy_documents) == 1
    error_message = "The door to S3 lets EMR's buckets through."
  }

  assert {
    condition = toset(flatten(data.aws_iam_policy_document.emr.statement[*].resources)) == toset([
      "arn:aws:s3:::repo.eu-central-1.emr.amazonaws.com/*",
      "arn:aws:s3:::aws157-instance-data-0-prod-eu-central-1/*",
      "arn:aws:s3:::aws157-instance-data-1-prod-eu-central-1/*",
      "arn:aws:s3:::aws157-logs-prod-eu-central-1/*",
    ])
    error_message = "These are the buckets that EMR's guide names."
  }
}

run "the_default_group_is_closed" {
  assert {
    condition     = length(coalesce(aws_default_security_group.closed.ingress, [])) == 0 && length(coalesce(aws_default_security_group.closed.egress, [])) == 0
    error_message = "The default security group lets nothing through."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    availability_zones = ["eu-central-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "a_bucket_is_named_whole" {
  command = plan

  variables {
    bucket_arns = ["arn:aws:s3:::farm-*"]
  }

  expect_failures = [var.bucket_arns]
}
