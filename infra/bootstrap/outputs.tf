output "state_bucket" {
  description = "Bucket of Terraform's states: the `bucket` of every environment's backend.hcl."
  value       = module.state.name
}

output "state_kms_key_arn" {
  description = "Key that encrypts them: the `kms_key_id` of every environment's backend.hcl."
  value       = module.state.kms_key_arn
}

output "registry" {
  description = "The registry's host name: what `make push REGISTRY=…` takes."
  value       = module.registry.registry
}
