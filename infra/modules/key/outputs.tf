output "arn" {
  description = "ARN of the key."
  value       = aws_kms_key.data.arn
}

output "alias" {
  description = "Alias of the key."
  value       = aws_kms_alias.data.name
}
