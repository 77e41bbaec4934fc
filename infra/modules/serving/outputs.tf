output "table_name" {
  description = "Physical name of the table."
  value       = aws_dynamodb_table.latest.name
}

output "table_arn" {
  description = "ARN of the table. The writer's role needs `dynamodb:PutItem` on it, and the key's `kms:Decrypt` through DynamoDB."
  value       = aws_dynamodb_table.latest.arn
}
