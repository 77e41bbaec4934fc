mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix = "farm"
  landing = {
    bucket_name = "farm-raw"
    bucket_arn  = "arn:aws:s3:::farm-raw"
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/raw"
  }
}

run "replication_is_a_switch_that_is_off" {
  assert {
    condition     = output.replication_arn == null && output.landing_role_arn == null && length(aws_security_group.replication) == 0
    error_message = "Nothing is made unless asked for."
  }
}

run "it_lands_files_of_its_stream_alone" {
  variables {
    is_enabled = true
    stream     = "orders"
    tables     = [{ schema = "public", table = "orders" }]
    source_database = {
      engine            = "postgres"
      database          = "shop"
      port              = 5432
      secret_arn        = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop"
      security_group_id = "sg-database"
    }
    vpc_id                      = "vpc-1"
    subnet_ids                  = ["subnet-1", "subnet-2"]
    endpoints_security_group_id = "sg-endpoints"
    s3_prefix_list_id           = "pl-1"
  }

  assert {
    condition     = aws_dms_s3_endpoint.landing["farm-replication"].bucket_folder == "landing/orders"
    error_message = "Files land for the stream."
  }

  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.landing["farm-replication"].statement : statement.resources
      if contains(statement.actions, "s3:PutObject")
    ])) == toset(["arn:aws:s3:::farm-raw/landing/orders/*"])
    error_message = "The role puts nothing but this stream's files."
  }

  assert {
    condition     = jsondecode(aws_dms_replication_config.tables["farm-replication"].table_mappings).rules[0].object-locator == { schema-name = "public", table-name = "orders" }
    error_message = "Tables are selected as named."
  }
}

run "enabled_it_must_know_a_database_and_tables" {
  command = plan

  variables {
    is_enabled = true
  }

  expect_failures = [var.source_database, var.tables, var.subnet_ids]
}
