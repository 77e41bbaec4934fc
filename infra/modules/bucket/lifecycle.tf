# What becomes of objects with time. A zone without a rule keeps everything, as tables must: their log names their files.

resource "aws_s3_bucket_lifecycle_configuration" "zone" {
  #checkov:skip=CKV_AWS_300:the first rule aborts uploads everywhere; checkov no longer sees it once it has expanded the others
  bucket = aws_s3_bucket.zone.id

  # Versioning comes first: rules about noncurrent versions mean nothing before it.
  depends_on = [aws_s3_bucket_versioning.zone]

  rule {
    id     = "abort-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_upload_days
    }
  }

  dynamic "rule" {
    for_each = var.is_versioned ? ["forget-old-versions"] : []

    content {
      id     = rule.value
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = var.noncurrent_days
      }

      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  dynamic "rule" {
    for_each = var.lifecycles

    content {
      id     = trim(replace(rule.key, "/", "-"), "-")
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      dynamic "transition" {
        for_each = rule.value.intelligent_after_days == null ? [] : [rule.value.intelligent_after_days]

        content {
          days          = transition.value
          storage_class = "INTELLIGENT_TIERING"
        }
      }

      dynamic "transition" {
        for_each = rule.value.glacier_after_days == null ? [] : [rule.value.glacier_after_days]

        content {
          days          = transition.value
          storage_class = rule.value.glacier_class
        }
      }

      dynamic "expiration" {
        for_each = rule.value.expire_after_days == null ? [] : [rule.value.expire_after_days]

        content {
          days = expiration.value
        }
      }
    }
  }
}
