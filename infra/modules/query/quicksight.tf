# A picture of one table of windows: a data source, a data set and an analysis with a line for each key.

locals {
  pictures = var.quicksight == null ? {} : { windows = var.quicksight }

  reading = ["quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:DescribeIngestion", "quicksight:ListIngestions", "quicksight:PassDataSet"]
  drawing = [
    "quicksight:DeleteAnalysis", "quicksight:DescribeAnalysis", "quicksight:DescribeAnalysisPermissions",
    "quicksight:QueryAnalysis", "quicksight:RestoreAnalysis", "quicksight:UpdateAnalysis", "quicksight:UpdateAnalysisPermissions",
  ]
  columns = merge({ window_start = "DATETIME", window_end = "DATETIME", is_final = "BIT", row_count = "INTEGER" }, try(var.quicksight.columns, {}))
}

resource "aws_quicksight_data_source" "lake" {
  for_each = local.pictures

  data_source_id = "${var.prefix}-lake"
  name           = "${var.prefix}: lake"
  type           = "ATHENA"
  tags           = var.tags

  parameters {
    athena {
      work_group = aws_athena_workgroup.lake.name
    }
  }

  ssl_properties {
    disable_ssl = false
  }
}

resource "aws_quicksight_data_set" "windows" {
  for_each = local.pictures

  data_set_id = "${var.prefix}-windows"
  name        = "${var.prefix}: ${each.value.stream}, ${each.value.window}"
  import_mode = "DIRECT_QUERY"
  tags        = var.tags

  physical_table_map {
    physical_table_map_id = "windows"

    custom_sql {
      name            = "windows"
      data_source_arn = aws_quicksight_data_source.lake[each.key].arn
      sql_query       = "SELECT ${join(", ", [for column in sort(keys(local.columns)) : "\"${column}\""])} FROM \"${local.database}\".\"${replace(each.value.stream, "-", "_")}_windows_${each.value.window}\""

      dynamic "columns" {
        for_each = local.columns

        content {
          name = columns.key
          type = columns.value
        }
      }
    }
  }

  permissions {
    principal = each.value.user_arn
    actions   = local.reading
  }
}

resource "aws_quicksight_analysis" "windows" {
  for_each = local.pictures

  analysis_id = "${var.prefix}-windows"
  name        = "${var.prefix}: ${each.value.stream}, ${each.value.window}"
  tags        = var.tags

  definition {
    data_set_identifiers_declarations {
      data_set_arn = aws_quicksight_data_set.windows[each.key].arn
      identifier   = "windows"
    }

    sheets {
      sheet_id = "windows"
      title    = each.value.window

      visuals {
        line_chart_visual {
          visual_id = "value-by-time"

          title {
            format_text {
              plain_text = "${each.value.value} by ${each.value.key}"
            }
          }

          chart_configuration {
            field_wells {
              line_chart_aggregated_field_wells {
                category {
                  date_dimension_field {
                    field_id         = "time"
                    date_granularity = "MINUTE"

                    column {
                      data_set_identifier = "windows"
                      column_name         = "window_start"
                    }
                  }
                }

                values {
                  numerical_measure_field {
                    field_id = "value"

                    column {
                      data_set_identifier = "windows"
                      column_name         = each.value.value
                    }

                    aggregation_function {
                      simple_numerical_aggregation = "AVERAGE"
                    }
                  }
                }

                colors {
                  categorical_dimension_field {
                    field_id = "key"

                    column {
                      data_set_identifier = "windows"
                      column_name         = each.value.key
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  permissions {
    principal = each.value.user_arn
    actions   = local.drawing
  }
}
