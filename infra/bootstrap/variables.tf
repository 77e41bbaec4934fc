variable "region" {
  description = "AWS region of the state, of the images and of every environment that runs them."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the name of an AWS region, such as eu-central-1."
  }
}

variable "prefix" {
  description = "Start of the names of the state's bucket and of the repositories. Names of buckets are shared with the whole world, so choose one that is yours."
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

variable "is_disposable" {
  description = "Whether `terraform destroy` deletes the state's bucket and the images with what is in them. Set it, apply, and destroy."
  type        = bool
  default     = false
}

variable "is_emulated" {
  description = "Whether AWS_ENDPOINT_URL names an emulator, which has neither accounts nor names of buckets in host names."
  type        = bool
  default     = false
}
