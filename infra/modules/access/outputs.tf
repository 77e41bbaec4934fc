output "policy" {
  description = "Policy (JSON) for the role of the service's tasks, or of its hosts."
  value       = data.aws_iam_policy_document.needs.json
}
