# Where queries run: what one may read is limited, and what it found is encrypted and forgotten.

module "results" {
  source = "../bucket"

  prefix            = var.prefix
  name              = "query-results"
  purpose           = "results of queries"
  classification    = var.classification
  is_disposable     = true # results can be had again
  key               = { arn = var.lake.kms_key_arn }
  access_log_bucket = var.access_log_bucket
  lifecycles        = { "athena/" = { expire_after_days = var.result_retention_days } }
  tags              = var.tags
}

resource "aws_athena_workgroup" "lake" {
  name          = var.prefix
  description   = "Queries on the lake of ${var.prefix}"
  force_destroy = true # saved queries and their history go with it
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.max_scanned_bytes

    engine_version {
      selected_engine_version = "Athena engine version 3" # the first that reads Delta logs itself
    }

    result_configuration {
      output_location       = "s3://${module.results.name}/athena/"
      expected_bucket_owner = data.aws_caller_identity.current.account_id

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.lake.kms_key_arn
      }
    }
  }
}

locals {
  queries = merge(
    { for name, table in local.tables : "${name}: latest windows" => {
      description = "The latest hundred windows"
      sql         = "SELECT *\nFROM \"${name}\"\nORDER BY window_start DESC\nLIMIT 100"
    } if startswith(table.table, "windows_") },
    { for name, table in local.tables : "${name}: records by day" => {
      description = "How many records there are of each day"
      sql         = "SELECT event_date, count(*) AS records\nFROM \"${name}\"\nGROUP BY event_date\nORDER BY event_date DESC"
    } if table.table == "records" },
    { for name, table in local.tables : "${name}: late records" => {
      description = "What came after its windows were final"
      sql         = "SELECT *\nFROM \"${name}\"\nLIMIT 100"
    } if table.table == "late" },
  )
}

resource "aws_athena_named_query" "saved" {
  for_each = local.queries

  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.lake.id
  database    = aws_glue_catalog_database.lake.name
  query       = each.value.sql
}
