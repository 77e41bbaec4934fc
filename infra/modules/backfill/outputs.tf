output "application_id" {
  description = "EMR Serverless application that jobs are submitted to."
  value       = aws_emrserverless_application.spark.id
}

output "job_role_arn" {
  description = "Role that jobs run as."
  value       = aws_iam_role.job.arn
}

output "job_uri" {
  description = "The job's script in S3."
  value       = "s3://${var.output.bucket_name}/${aws_s3_object.job.key}"
}

output "cluster_id" {
  description = "The cluster on EC2; null if there is none."
  value       = one(values(aws_emr_cluster.spark)[*].id)
}
