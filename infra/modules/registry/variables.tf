variable "prefix" {
  description = "Name of the deployment; every physical name starts with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.prefix))
    error_message = "prefix is 2 to 32 characters of a-z, 0-9 and '-', starts with a letter and does not end with '-'."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}


variable "services" {
  description = "Services that have an image; a repository is called `<prefix>-<service>`."
  type        = set(string)

  validation {
    condition     = length(var.services) > 0 && alltrue([for service in var.services : can(regex("^[a-z][a-z0-9-]*$", service))])
    error_message = "services are made of a-z, 0-9 and '-' and start with a letter; there is at least one."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the images; null takes the one of the account that AWS manages for ECR."
  type        = string
  default     = null
}

variable "kept_images" {
  description = "Images that are kept per service. An image for two platforms counts as three: one for each and one for both. Never fewer than a roll-back may need."
  type        = number
  default     = 60

  validation {
    condition     = var.kept_images >= 10
    error_message = "kept_images is at least 10: a roll-back needs what ran before."
  }
}

variable "is_disposable" {
  description = "Whether `terraform destroy` deletes repositories with the images in them. Without it, destroy refuses them."
  type        = bool
  default     = false
}
