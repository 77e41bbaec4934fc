mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix          = "hay-farm"
  log_kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/logs"
  lake = {
    bucket_name = "hay-farm-lake"
    bucket_arn  = "arn:aws:s3:::hay-farm-lake"
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/lake"
  }
  streams = { soil-sensors = { windows = ["hourly"] } }
}

run "every_table_of_a_stream_is_in_the_catalogue" {
  assert {
    condition = output.tables == {
      soil_sensors_records        = "s3://hay-farm-lake/lake/soil-sensors/records/"
      soil_sensors_late           = "s3://hay-farm-lake/lake/soil-sensors/late/"
      soil_sensors_windows_hourly = "s3://hay-farm-lake/lake/soil-sensors/windows_hourly/"
    }
    error_message = "Tables lie where the writer keeps them."
  }

  assert {
    condition     = alltrue([for table in aws_glue_catalog_table.delta : table.parameters["table_type"] == "DELTA"])
    error_message = "They are native Delta tables."
  }

  assert {
    condition     = aws_glue_catalog_database.lake.name == "hay_farm"
    error_message = "SQL knows no '-' in names."
  }
}

run "a_query_reads_so_much_and_no_more" {
  assert {
    condition     = aws_athena_workgroup.lake.configuration[0].enforce_workgroup_configuration && aws_athena_workgroup.lake.configuration[0].bytes_scanned_cutoff_per_query == 107374182400
    error_message = "The limit holds whatever a client asks for."
  }

  assert {
    condition     = length(aws_athena_named_query.saved) == 3
    error_message = "Each kind of table has a query to begin with."
  }
}

run "readers_put_nothing_but_results" {
  assert {
    condition = toset(flatten([
      for statement in data.aws_iam_policy_document.reader.statement : statement.resources
      if contains(statement.actions, "s3:PutObject")
    ])) == toset(["${module.results.arn}/athena/*"])
    error_message = "A reader must not write the lake."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.read_lake.statement : !contains(statement.actions, "s3:PutObject")])
    error_message = "Reading the lake is reading."
  }
}

run "redshift_and_quicksight_and_crawlers_are_switches" {
  assert {
    condition     = length(aws_redshiftdata_statement.schema) == 0 && length(aws_quicksight_analysis.windows) == 0 && length(aws_iam_role.crawler) == 0
    error_message = "They are off unless asked for."
  }
}

run "crawlers_take_the_place_of_entered_tables" {
  variables {
    has_crawlers = true
    exports      = { soil = "exports/soil/" }
  }

  assert {
    condition     = length(aws_glue_catalog_table.delta) == 0 && aws_glue_crawler.delta["soil-sensors"].delta_target[0].create_native_delta_table
    error_message = "One of the two keeps the tables."
  }

  assert {
    condition     = aws_glue_crawler.exports["soil"].s3_target[0].path == "s3://hay-farm-lake/exports/soil/"
    error_message = "Exports are crawled where they lie."
  }
}

run "a_schema_and_a_picture" {
  variables {
    redshift = { workgroup_name = "analytics", database = "dev" }
    quicksight = {
      user_arn = "arn:aws:quicksight:eu-central-1:111122223333:user/default/reader"
      stream   = "soil-sensors"
      window   = "hourly"
      key      = "sensor"
      value    = "moisture_mean"
      columns  = { sensor = "STRING", moisture_mean = "DECIMAL" }
    }
  }

  assert {
    condition     = strcontains(aws_redshiftdata_statement.schema["spectrum"].sql, "FROM DATA CATALOG DATABASE 'hay_farm'")
    error_message = "The external schema is the catalogue's database."
  }

  assert {
    condition = strcontains(
      one(aws_quicksight_data_set.windows["windows"].physical_table_map).custom_sql[0].sql_query,
      "FROM \"hay_farm\".\"soil_sensors_windows_hourly\"",
    )
    error_message = "The data set is the table of windows."
  }
}

run "a_picture_shows_columns_it_has" {
  command = plan

  variables {
    quicksight = { user_arn = "a", stream = "soil-sensors", window = "hourly", key = "sensor", value = "moisture", columns = { sensor = "STRING" } }
  }

  expect_failures = [var.quicksight]
}
