output "repository_urls" {
  description = "Where each service's image is pushed to and pulled from, by service."
  value       = { for service, repository in aws_ecr_repository.service : service => repository.repository_url }
}

output "repository_arns" {
  description = "ARN of each service's repository, by service."
  value       = { for service, repository in aws_ecr_repository.service : service => repository.arn }
}

output "registry" {
  description = "The registry's host name: what `make push REGISTRY=…` takes."
  value       = split("/", values(aws_ecr_repository.service)[0].repository_url)[0]
}
