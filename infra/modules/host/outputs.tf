output "auto_scaling_group_name" {
  description = "The service's auto-scaling group."
  value       = aws_autoscaling_group.host.name
}

output "security_group_id" {
  description = "Group of the service's instances."
  value       = aws_security_group.host.id
}

output "role_arn" {
  description = "Role of the service's instances, and so of the service."
  value       = aws_iam_role.host.arn
}

output "log_group" {
  description = "Name of the service's log group."
  value       = aws_cloudwatch_log_group.host.name
}
