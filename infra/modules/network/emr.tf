# What hosts of EMR need of the network, and only if there are any. Names of buckets are those of "Sample policies for
# private subnets that access Amazon S3" in EMR's Management Guide, for releases from 8.0 on.

locals {
  region = data.aws_region.current.region

  # AWS's own policy for EMR starts hosts only where this tag is.
  emr_tags = var.has_emr ? { for-use-with-amazon-emr-managed-policies = "true" } : {}

  # The guide names two regions that differ.
  emr_log_bucket  = local.region == "us-east-1" ? "aws157-logs-prod" : "aws157-logs-prod-${local.region}"
  emr_data_bucket = local.region == "ap-southeast-2" ? "aws157-instance-data-bucket" : "aws157-instance-data"
}

data "aws_iam_policy_document" "emr" {
  # wildcard: AWS keeps these in buckets of its own under names it does not tell, and it is not said who signs
  statement {
    sid     = "EmrPackagesAndInstanceData"
    actions = ["s3:GetObject"]
    resources = [
      "arn:${data.aws_partition.current.partition}:s3:::repo.${local.region}.emr.amazonaws.com/*",
      "arn:${data.aws_partition.current.partition}:s3:::${local.emr_data_bucket}-0-prod-${local.region}/*",
      "arn:${data.aws_partition.current.partition}:s3:::${local.emr_data_bucket}-1-prod-${local.region}/*",
    ]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }

  # The one way out that is not a bucket of the deployment: EMR keeps a copy of a cluster's logs for itself.
  # wildcard: see above
  statement {
    sid       = "EmrKeepsLogs"
    actions   = ["s3:PutObject", "s3:PutObjectAcl"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.emr_log_bucket}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
