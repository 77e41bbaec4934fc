output "landing_role_arn" {
  description = "Role that lands files; null if there is none. A bucket with immutable keys names it among its `unconditional_writer_arns`."
  value       = one(values(aws_iam_role.landing)[*].arn)
}

output "replication_arn" {
  description = "ARN of the replication; null if there is none."
  value       = one(values(aws_dms_replication_config.tables)[*].arn)
}
