# What must stand before an environment can: a bucket for Terraform's state, and a registry for the images that all of them
# run. Applied once per account and region, with its own state kept beside it.

locals {
  topology = jsondecode(file("${path.module}/../topology.json"))
}

# Versioned, because a state that was overwritten by mistake is otherwise gone. Terraform locks with a file in the same bucket.
module "state" {
  source = "../modules/bucket"

  prefix          = var.prefix
  tags            = var.tags
  name            = "terraform-state"
  purpose         = "what Terraform knows of every environment"
  classification  = "confidential" # states name everything there is
  is_versioned    = true
  noncurrent_days = 365
  is_disposable   = var.is_disposable
}

module "key" {
  source = "../modules/key"

  prefix  = var.prefix
  tags    = var.tags
  name    = "images"
  purpose = "images"
}

module "registry" {
  source = "../modules/registry"

  prefix        = var.prefix
  tags          = var.tags
  services      = keys(local.topology.services)
  kms_key_arn   = module.key.arn
  is_disposable = var.is_disposable
}
