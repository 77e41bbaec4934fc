# A bucket that nobody outside reads, nobody reads in the clear, and that forgets what the pipeline no longer needs.

resource "aws_s3_bucket" "zone" {
  #checkov:skip=CKV_AWS_144:replication to another region is a decision about cost and law that each deployment makes itself
  #checkov:skip=CKV2_AWS_62:notifications are made once per bucket by the caller, from the topology
  #checkov:skip=CKV_AWS_18:access logs are written where access_log_bucket says; the bucket that receives them has none
  #checkov:skip=CKV_AWS_21:versioned where the topology says that it protects; staged data and tables are versions already
  #checkov:skip=CKV_AWS_145:KMS everywhere but in a bucket of access logs, which S3 delivers only under SSE-S3
  bucket        = "${var.prefix}-${var.name}"
  force_destroy = var.is_disposable
  tags = merge(var.tags, {
    Name           = "${var.prefix}-${var.name}"
    purpose        = var.purpose
    classification = var.classification
  })
}

resource "aws_s3_bucket_public_access_block" "zone" {
  bucket                  = aws_s3_bucket.zone.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# No ACLs: who may do what is said in policies alone.
resource "aws_s3_bucket_ownership_controls" "zone" {
  bucket = aws_s3_bucket.zone.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Where it was on and is switched off, Terraform suspends it.
resource "aws_s3_bucket_versioning" "zone" {
  count = var.is_versioned ? 1 : 0

  bucket = aws_s3_bucket.zone.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "zone" {
  count = var.access_log_bucket == null ? 0 : 1

  bucket        = aws_s3_bucket.zone.id
  target_bucket = var.access_log_bucket
  target_prefix = "${aws_s3_bucket.zone.id}/"
}
