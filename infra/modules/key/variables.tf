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

variable "name" {
  description = "What the key is for, as the end of its alias: `alias/<prefix>-<name>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.name))
    error_message = "name is made of a-z, 0-9 and '-' and starts with a letter."
  }
}

variable "purpose" {
  description = "What is encrypted with the key, in a few words."
  type        = string
}

variable "services" {
  description = "AWS services that use the key on behalf of this account, such as `s3.amazonaws.com` for events that S3 sends to an encrypted queue, or `logs.amazonaws.com` for log groups."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.services : endswith(service, ".amazonaws.com")])
    error_message = "services are service principals, such as s3.amazonaws.com."
  }
}

variable "deletion_window_days" {
  description = "Days between the deletion of the key and its end, in which it can be had back. What it encrypted is lost after that."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is 7 to 30."
  }
}
