output "name" {
  description = "Physical name of the bucket."
  value       = aws_s3_bucket.zone.bucket # known in the plan, as its id is not: others count by it

  # Who delivers to a bucket tries its policy at once: access logs, CloudTrail, AWS Config.
  depends_on = [aws_s3_bucket_policy.zone]
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.zone.arn
}

output "kms_key_arn" {
  description = "Key that encrypts the objects; null in a bucket of access logs."
  value       = local.kms_key_arn
}
