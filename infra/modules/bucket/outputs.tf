output "name" {
  description = "Physical name of the bucket."
  value       = aws_s3_bucket.zone.id
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.zone.arn
}

output "kms_key_arn" {
  description = "Key that encrypts the objects; null in a bucket of access logs."
  value       = local.kms_key_arn
}
