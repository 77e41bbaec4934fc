output "name" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.tasks.name
}

output "security_group_id" {
  description = "Group of the service's tasks."
  value       = aws_security_group.tasks.id
}

output "task_role_arn" {
  description = "Role of the service's tasks."
  value       = aws_iam_role.tasks.arn
}

output "log_group" {
  description = "Name of the service's log group."
  value       = aws_cloudwatch_log_group.tasks.name
}

output "task_definition_arn" {
  description = "The task definition that runs; a roll-back names one before it."
  value       = aws_ecs_task_definition.tasks.arn
}
