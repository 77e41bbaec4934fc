# What somebody needs who reads: a policy to attach to people's roles, and the parts that crawlers and Redshift share.

locals {
  here = "${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"

  catalogue_arns = [
    "arn:${data.aws_partition.current.partition}:glue:${local.here}:catalog",
    "arn:${data.aws_partition.current.partition}:glue:${local.here}:database/${local.database}",
    "arn:${data.aws_partition.current.partition}:glue:${local.here}:table/${local.database}/*",
  ]
}

data "aws_iam_policy_document" "read_lake" {
  statement {
    sid       = "ReadLake"
    actions   = ["s3:GetObject"]
    resources = ["${var.lake.bucket_arn}/lake/*", "${var.lake.bucket_arn}/exports/*"]
  }

  statement {
    sid       = "ListLake"
    actions   = ["s3:ListBucket"]
    resources = [var.lake.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["lake/*", "exports/*"]
    }
  }

  statement {
    sid       = "FindLake"
    actions   = ["s3:GetBucketLocation"]
    resources = [var.lake.bucket_arn]
  }

  statement {
    sid       = "DecryptLake"
    actions   = ["kms:Decrypt"]
    resources = [var.lake.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "reader" {
  name        = "${var.prefix}-reader"
  description = "Query the lake of ${var.prefix} with Athena"
  policy      = data.aws_iam_policy_document.reader.json
  tags        = var.tags
}

data "aws_iam_policy_document" "reader" {
  source_policy_documents = [data.aws_iam_policy_document.read_lake.json]

  statement {
    sid = "Query"
    actions = [
      "athena:BatchGetNamedQuery", "athena:GetNamedQuery", "athena:GetQueryExecution", "athena:GetQueryResults",
      "athena:GetWorkGroup", "athena:ListNamedQueries", "athena:ListQueryExecutions", "athena:StartQueryExecution",
      "athena:StopQueryExecution",
    ]
    resources = [aws_athena_workgroup.lake.arn]
  }

  statement {
    sid       = "ReadCatalogue"
    actions   = ["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
    resources = local.catalogue_arns
  }

  statement {
    sid       = "KeepResults"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = ["${module.results.arn}/athena/*"]
  }

  statement {
    sid       = "FindResults"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = [module.results.arn]
  }

  statement {
    sid       = "EncryptResults"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.lake.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}
