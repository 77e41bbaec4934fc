output "group_name" {
  description = "Group of the schedules; null if there are none."
  value       = one(values(aws_scheduler_schedule_group.pulls)[*].name)
}

output "schedule_arns" {
  description = "ARN of each schedule, by name."
  value       = { for name, schedule in aws_scheduler_schedule.pull : name => schedule.arn }
}
