output "topic_arn" {
  description = "SNS topic of the alarms, for the alarms of other modules."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.pipeline.dashboard_name
}

output "namespace" {
  description = "CloudWatch namespace of the metrics that are made from logs."
  value       = local.namespace
}

output "audit_bucket_name" {
  description = "Bucket of the audit logs; null if there are none."
  value       = one(module.audit[*].name)
}
