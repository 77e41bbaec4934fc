# What must stand before an environment can: a bucket for Terraform's state, a registry for the images that all of them run, and
# what the account must have switched on. Applied once per account and region, with its own state kept beside it.

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

# Every task has a network interface of its own, and without trunks a host has room for two or three. The setting is the account's,
# and a host takes it when it registers: so it is not an environment's to make, nor to take away from the others.
resource "aws_ecs_account_setting_default" "trunks" {
  name  = "awsvpcTrunking"
  value = "enabled"
}

module "registry" {
  source = "../modules/registry"

  prefix        = var.prefix
  tags          = var.tags
  services      = keys(local.topology.services)
  kms_key_arn   = module.key.arn
  is_disposable = var.is_disposable
}
