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

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets that the door may stand in."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids names at least one subnet."
  }
}

variable "endpoint_security_group_id" {
  description = "Group of the interface endpoints; those of Systems Manager (`ssm`, `ssmmessages`, `ec2messages`) must be there."
  type        = string
}

variable "architecture" {
  description = "Processor: arm64 (t4g.nano) or x86_64 (t3.nano)."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "image_id" {
  description = "Machine image; null takes the newest Amazon Linux. Name one to decide yourself when it changes; it must bring the agent of Systems Manager."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null ? true : can(regex("^ami-[0-9a-f]+$", var.image_id))
    error_message = "image_id begins with ami-."
  }
}

variable "max_age_days" {
  description = "Days after which the door is replaced, to run a patched image. A session that goes on then is cut."
  type        = number
  default     = 14

  validation {
    condition     = var.max_age_days >= 1 && var.max_age_days <= 365
    error_message = "max_age_days is 1 to 365."
  }
}

variable "volume_kms_key_arn" {
  description = "Key that encrypts the volume; null takes the one of the account that AWS manages for EBS."
  type        = string
  default     = null
}
