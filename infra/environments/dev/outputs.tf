output "windrow" {
  description = "Names and addresses of what stands."
  value       = module.windrow
}
