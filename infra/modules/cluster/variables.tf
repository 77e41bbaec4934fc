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
  description = "Private subnets that hosts stand in."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids names at least one subnet."
  }
}

variable "endpoint_security_group_id" {
  description = "Group of the interface endpoints."
  type        = string
}

variable "s3_prefix_list_id" {
  description = "Address list of S3 in this region."
  type        = string
}

variable "is_fargate" {
  description = "Whether tasks run on Fargate. Then there are no hosts, and every task is isolated from every other."
  type        = bool
  default     = false
}

variable "architecture" {
  description = "Processors of the hosts: arm64 (Graviton) or x86_64. Images are built for both."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "image_id" {
  description = "Machine image of the hosts; null takes the newest that AWS makes for ECS. Name one to decide yourself when hosts change."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null ? true : can(regex("^ami-[0-9a-f]+$", var.image_id))
    error_message = "image_id begins with ami-."
  }
}

variable "hosts" {
  description = "Groups of hosts by name. Services of one group share hosts, and a host is no border between containers: what faces the internet has a group of its own. `spot_percent` of the hosts beyond `on_demand_base` are spot; `target_percent` below 100 keeps room for the next task; `max_age_days` is when a host is replaced."
  type = map(object({
    instance_types = list(string)
    min            = optional(number, 1)
    max            = number
    on_demand_base = optional(number, 0)
    spot_percent   = optional(number, 0)
    target_percent = optional(number, 100)
    max_step       = optional(number, 10)
    volume_gib     = optional(number, 50)
    max_age_days   = optional(number, 14)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.hosts) : can(regex("^[a-z][a-z0-9-]{0,15}$", name))])
    error_message = "Groups of hosts are called by 1 to 16 characters of a-z, 0-9 and '-'."
  }

  validation {
    condition     = alltrue([for group in values(var.hosts) : length(group.instance_types) > 0])
    error_message = "Every group names at least one instance type; for spot, several."
  }

  validation {
    condition     = alltrue([for group in values(var.hosts) : group.min >= 0 && group.max >= max(group.min, 1)])
    error_message = "A group's max is at least 1 and at least its min."
  }

  validation {
    condition     = alltrue([for group in values(var.hosts) : group.spot_percent >= 0 && group.spot_percent <= 100 && group.target_percent >= 1 && group.target_percent <= 100])
    error_message = "spot_percent is 0 to 100, target_percent 1 to 100."
  }

  validation {
    condition     = alltrue([for group in values(var.hosts) : group.volume_gib >= 30 && group.max_age_days >= 1 && group.max_age_days <= 365])
    error_message = "volume_gib is at least 30, the size of the machine image; max_age_days is 1 to 365."
  }
}

variable "stop_timeout_s" {
  description = "Seconds between SIGTERM and SIGKILL for containers that say nothing themselves."
  type        = number
  default     = 30

  validation {
    condition     = var.stop_timeout_s >= 2 && var.stop_timeout_s <= 120
    error_message = "stop_timeout_s is 2 to 120."
  }
}

variable "volume_kms_key_arn" {
  description = "Key that encrypts the hosts' volumes; null takes the one of the account that AWS manages for EBS."
  type        = string
  default     = null
}
