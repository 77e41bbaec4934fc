mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                      = "farm"
  lake                        = { bucket_arn = "arn:aws:s3:::farm-lake", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  config                      = { bucket_arn = "arn:aws:s3:::farm-config", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  output                      = { bucket_name = "farm-staged", bucket_arn = "arn:aws:s3:::farm-staged", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  vpc_id                      = "vpc-1"
  vpc_cidr                    = "10.60.0.0/16"
  subnet_ids                  = ["subnet-1"]
  endpoints_security_group_id = "sg-endpoints"
  s3_prefix_list_id           = "pl-1"
}

run "a_job_cannot_write_the_lake" {
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.job.statement : statement.resources
      if contains(statement.actions, "s3:PutObject") || contains(statement.actions, "s3:DeleteObject")
    ])) == toset(["arn:aws:s3:::farm-staged/backfills/*"])
    error_message = "Only the writer commits tables (law 5)."
  }
}

run "what_it_uses_is_bounded_and_nothing_runs_idle" {
  assert {
    condition     = aws_emrserverless_application.spark.maximum_capacity[0].cpu == "64 vCPU" && aws_emrserverless_application.spark.auto_stop_configuration[0].enabled
    error_message = "An application needs a limit, and an end."
  }

  assert {
    condition     = output.cluster_id == null && length(aws_iam_role.service) + length(aws_security_group.nodes) + length(aws_vpc_endpoint.emr) + length(aws_iam_role_policy.volumes) == 0
    error_message = "A cluster is a switch that is off."
  }
}

run "a_cluster_ends_by_itself_and_asks_for_imdsv2" {
  variables {
    cluster = {}
  }

  assert {
    condition     = aws_emr_cluster.spark["ec2"].auto_termination_policy[0].idle_timeout == 1800
    error_message = "A cluster that nobody uses must end."
  }

  assert {
    condition     = jsondecode(aws_emr_security_configuration.spark["ec2"].configuration).InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion == 2
    error_message = "Hosts answer IMDSv2 alone."
  }
}

run "a_cluster_has_groups_that_destroy_knows" {
  variables {
    cluster = {}
  }

  assert {
    condition = toset([
      aws_emr_cluster.spark["ec2"].ec2_attributes[0].emr_managed_master_security_group,
      aws_emr_cluster.spark["ec2"].ec2_attributes[0].emr_managed_slave_security_group,
    ]) == toset([aws_security_group.nodes["ec2"].id])
    error_message = "Without groups EMR makes its own, and they are left behind."
  }

  assert {
    condition     = aws_emr_cluster.spark["ec2"].ec2_attributes[0].service_access_security_group == aws_security_group.service["ec2"].id
    error_message = "In a private subnet there is a third group."
  }

  assert {
    condition     = aws_security_group.nodes["ec2"].revoke_rules_on_delete && aws_security_group.service["ec2"].revoke_rules_on_delete
    error_message = "Rules that EMR added must not keep a group."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.nodes)) == toset(["tcp", "udp", "icmp"])
    error_message = "These are the rules that EMR would add."
  }
}

run "a_cluster_reaches_emr_through_an_endpoint_of_its_own" {
  variables {
    cluster = {}
  }

  assert {
    condition     = aws_vpc_endpoint.emr["ec2"].service_name == "aws.api.eu-central-1.emr-service-cell01" && aws_vpc_endpoint.emr["ec2"].private_dns_enabled
    error_message = "Hosts of releases from 8.0 on ask EMR what to do, through this endpoint."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.service["ec2"].cidr_ipv4 == "10.60.0.0/16" && aws_vpc_security_group_ingress_rule.service["ec2"].from_port == 443 && aws_vpc_security_group_egress_rule.nodes_service["ec2"].from_port == 443
    error_message = "HTTPS from inside the network, and hosts may use it."
  }
}

run "emr_may_use_what_has_its_tag_the_key_of_volumes_and_no_other_role" {
  variables {
    cluster = {}
  }

  assert {
    condition = alltrue([
      for tags in [aws_emr_cluster.spark["ec2"].tags, aws_security_group.nodes["ec2"].tags, aws_security_group.service["ec2"].tags, aws_vpc_endpoint.emr["ec2"].tags] :
      tags["for-use-with-amazon-emr-managed-policies"] == "true"
    ])
    error_message = "AWS's policy for EMR touches only what has the tag."
  }

  assert {
    condition = toset(flatten([
      for statement in concat(data.aws_iam_policy_document.service.statement, data.aws_iam_policy_document.volumes.statement) : statement.resources
    ])) == toset([aws_iam_role.job.arn, "arn:aws:kms:eu-central-1:111122223333:key/data"])
    error_message = "One role to pass on, and one key."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.service.statement : length(statement.condition) == 1
      if contains(statement.actions, "kms:CreateGrant") || contains(statement.actions, "iam:PassRole")
    ])
    error_message = "A grant is for a resource of AWS, and the role for EC2."
  }
}

run "spark_3_is_refused" {
  command = plan

  variables {
    release_label = "emr-7.12.0"
  }

  expect_failures = [var.release_label]
}
