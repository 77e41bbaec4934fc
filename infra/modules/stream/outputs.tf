output "name" {
  description = "Physical name of the data stream."
  value       = aws_kinesis_stream.records.name
}

output "arn" {
  description = "ARN of the data stream."
  value       = aws_kinesis_stream.records.arn
}

output "copy_role_arn" {
  description = "Role that delivers the copy; null if there is none. A bucket with immutable keys names it among its `unconditional_writer_arns` if the copy lands there."
  value       = one(values(aws_iam_role.copy)[*].arn)
}

output "copy_name" {
  description = "Name of the delivery stream; null if there is none."
  value       = one(values(aws_kinesis_firehose_delivery_stream.copy)[*].name)
}
