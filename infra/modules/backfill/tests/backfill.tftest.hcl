mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                      = "farm"
  lake                        = { bucket_arn = "arn:aws:s3:::farm-lake", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  config                      = { bucket_arn = "arn:aws:s3:::farm-config", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  output                      = { bucket_name = "farm-staged", bucket_arn = "arn:aws:s3:::farm-staged", kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data" }
  vpc_id                      = "vpc-1"
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
    condition     = output.cluster_id == null && length(aws_iam_role.service) == 0
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

run "spark_3_is_refused" {
  command = plan

  variables {
    release_label = "emr-7.12.0"
  }

  expect_failures = [var.release_label]
}
