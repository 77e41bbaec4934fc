# Crawlers, for readers that go by the catalogue's columns: of Delta tables if asked for, of exports where there are any.

locals {
  delta_crawlers  = var.has_crawlers ? { for stream in keys(var.streams) : stream => [for table in local.tables : table.location if table.stream == stream] } : {}
  export_crawlers = { for name, folder in var.exports : name => "s3://${var.lake.bucket_name}/${folder}" }
  crawls          = length(local.delta_crawlers) + length(local.export_crawlers) > 0 ? { crawler = "${var.prefix}-crawler" } : {}
}

resource "aws_glue_crawler" "delta" {
  for_each = local.delta_crawlers

  name                   = "${var.prefix}-${each.key}-delta"
  database_name          = aws_glue_catalog_database.lake.name
  role                   = aws_iam_role.crawler["crawler"].arn
  schedule               = var.crawler_schedule
  table_prefix           = "${replace(each.key, "-", "_")}_"
  security_configuration = aws_glue_security_configuration.crawler["crawler"].name
  tags                   = var.tags

  delta_target {
    delta_tables              = each.value
    write_manifest            = false
    create_native_delta_table = true
  }
}

resource "aws_glue_crawler" "exports" {
  for_each = local.export_crawlers

  name                   = "${var.prefix}-${each.key}-exports"
  database_name          = aws_glue_catalog_database.lake.name
  role                   = aws_iam_role.crawler["crawler"].arn
  schedule               = var.crawler_schedule
  table_prefix           = "exported_"
  security_configuration = aws_glue_security_configuration.crawler["crawler"].name
  tags                   = var.tags

  s3_target {
    path       = each.value
    exclusions = ["**/_SUCCESS"]
  }

  # Files of a bucket are replaced by others; the partition stays.
  recrawl_policy {
    recrawl_behavior = "CRAWL_EVERYTHING"
  }
}

resource "aws_glue_security_configuration" "crawler" {
  for_each = local.crawls

  name = each.value

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.log_kms_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.lake.kms_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.lake.kms_key_arn
    }
  }
}

resource "aws_iam_role" "crawler" {
  for_each = local.crawls

  name               = each.value
  description        = "Glue: reads the lake and keeps the catalogue of ${local.database}"
  assume_role_policy = data.aws_iam_policy_document.crawler_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "crawler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "crawler" {
  for_each = local.crawls

  name   = "crawl"
  role   = aws_iam_role.crawler[each.key].id
  policy = data.aws_iam_policy_document.crawler.json
}

data "aws_iam_policy_document" "crawler" {
  source_policy_documents = [data.aws_iam_policy_document.read_lake.json]

  statement {
    sid = "KeepCatalogue"
    actions = [
      "glue:BatchCreatePartition", "glue:BatchGetPartition", "glue:BatchUpdatePartition", "glue:CreateTable",
      "glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables", "glue:UpdatePartition",
      "glue:UpdateTable",
    ]
    resources = local.catalogue_arns
  }

  # wildcard: Glue makes the log group itself and names it after the role and the security configuration
  statement {
    sid       = "Log"
    actions   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${local.here}:log-group:/aws-glue/crawlers-role/*"]
  }
}
