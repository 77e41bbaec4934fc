module "key" {
  source = "../key"
  count  = var.key == null && !var.receives_access_logs ? 1 : 0

  prefix  = var.prefix
  name    = var.name
  purpose = var.purpose
  tags    = var.tags
}

locals {
  kms_key_arn = var.receives_access_logs ? null : var.key == null ? one(module.key[*].arn) : var.key.arn
}

resource "aws_s3_bucket_server_side_encryption_configuration" "zone" {
  bucket = aws_s3_bucket.zone.id

  rule {
    # One request to KMS for many objects instead of one for each.
    bucket_key_enabled = !var.receives_access_logs

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.receives_access_logs ? "AES256" : "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}
