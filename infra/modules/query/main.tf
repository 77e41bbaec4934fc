# The lake as tables that Athena knows: a database, one native Delta table for each table of each stream, and a workgroup.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  database = replace(var.prefix, "-", "_")

  # What the writer keeps for a stream: its records, the ledger of late ones, and a table for each window.
  tables = merge([
    for stream, shape in var.streams : {
      for table in concat(["records", "late"], [for window in shape.windows : "windows_${window}"]) :
      "${replace(stream, "-", "_")}_${table}" => { stream = stream, table = table, location = "s3://${var.lake.bucket_name}/lake/${stream}/${table}/" }
    }
  ]...)
}

resource "aws_glue_catalog_database" "lake" {
  name        = local.database
  description = "Windrow's tables of the deployment ${var.prefix}"
  tags        = var.tags
}

# Athena reads columns, partitions and files from the Delta log itself; the catalogue only says where the log is. The one
# column stands in for them, as Spark writes it: a table of the catalogue may not be without.
resource "aws_glue_catalog_table" "delta" {
  for_each = var.has_crawlers ? {} : local.tables

  database_name = aws_glue_catalog_database.lake.name
  name          = each.key
  description   = "${each.value.table} of the stream ${each.value.stream}"
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    EXTERNAL                      = "TRUE"
    table_type                    = "DELTA"
    "spark.sql.sources.provider"  = "delta"
    "spark.sql.partitionProvider" = "catalog"
  }

  storage_descriptor {
    location      = each.value.location
    input_format  = "org.apache.hadoop.mapred.SequenceFileInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat"

    columns {
      name    = "col"
      type    = "array<string>"
      comment = "stands for the columns that the Delta log tells"
    }

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      parameters            = { "serialization.format" = "1", path = each.value.location }
    }
  }
}
