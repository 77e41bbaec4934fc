output "name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.workers.name
}

output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.workers.arn
}

output "capacity_providers" {
  description = "Capacity provider by group of hosts; empty on Fargate. Services name theirs."
  value       = { for group, provider in aws_ecs_capacity_provider.hosts : group => provider.name }

  # A service that names a provider before the cluster has it is refused.
  depends_on = [aws_ecs_cluster_capacity_providers.workers]
}

output "host_security_group_id" {
  description = "Group of the hosts, from where people reach a task through Systems Manager."
  value       = aws_security_group.hosts.id
}

output "auto_scaling_group_names" {
  description = "Auto-scaling group by group of hosts; empty on Fargate."
  value       = { for group, hosts in aws_autoscaling_group.hosts : group => hosts.name }
}
