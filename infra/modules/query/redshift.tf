# The catalogue as an external schema of Redshift. Spectrum reads Parquet, so what it can query are the crawled exports; of
# Delta tables it reads only manifests, which Windrow does not write.

locals {
  redshifts = var.redshift == null ? {} : { spectrum = var.redshift }
}

resource "aws_redshiftdata_statement" "schema" {
  for_each = local.redshifts

  workgroup_name = each.value.workgroup_name
  database       = each.value.database
  statement_name = "${var.prefix}-external-schema"
  sql            = "CREATE EXTERNAL SCHEMA IF NOT EXISTS ${each.value.schema} FROM DATA CATALOG DATABASE '${aws_glue_catalog_database.lake.name}' IAM_ROLE '${aws_iam_role.redshift[each.key].arn}'"
}

resource "aws_iam_role" "redshift" {
  for_each = local.redshifts

  name               = "${var.prefix}-redshift"
  description        = "Redshift Spectrum: reads the catalogue and the lake of ${var.prefix}"
  assume_role_policy = data.aws_iam_policy_document.redshift_trust.json
  tags               = var.tags
}

data "aws_iam_policy_document" "redshift_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy" "redshift" {
  for_each = local.redshifts

  name   = "read"
  role   = aws_iam_role.redshift[each.key].id
  policy = data.aws_iam_policy_document.redshift.json
}

data "aws_iam_policy_document" "redshift" {
  source_policy_documents = [data.aws_iam_policy_document.read_lake.json]

  statement {
    sid       = "ReadCatalogue"
    actions   = ["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    resources = local.catalogue_arns
  }
}
