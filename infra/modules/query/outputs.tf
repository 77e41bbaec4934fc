output "database" {
  description = "Database of the catalogue."
  value       = aws_glue_catalog_database.lake.name
}

output "tables" {
  description = "Tables of the catalogue, and where each lies."
  value       = { for name, table in local.tables : name => table.location }
}

output "workgroup" {
  description = "Athena workgroup that queries run in."
  value       = aws_athena_workgroup.lake.name
}

output "results_bucket_name" {
  description = "Bucket of the results of queries."
  value       = module.results.name
}

output "reader_policy_arn" {
  description = "Policy that lets a role query the lake with Athena."
  value       = aws_iam_policy.reader.arn
}

output "redshift_role_arn" {
  description = "Role that Redshift Spectrum reads with; null without `redshift`."
  value       = one(values(aws_iam_role.redshift)[*].arn)
}
