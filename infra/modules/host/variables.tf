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
  description = "Name of the service in the topology."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.name))
    error_message = "name is 1 to 16 characters of a-z, 0-9 and '-', because roles are named after it."
  }
}

variable "image" {
  description = "Image in ECR by its digest, as `make push` writes it down: `<registry>/<repository>@sha256:…`."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.[^/ ]+/[^@ ]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is a repository of ECR and a digest, <account>.dkr.ecr.<region>.amazonaws.com/<name>@sha256:<64 hex digits>: a tag may come to mean something else, and no other registry can be reached from inside."
  }
}

variable "architecture" {
  description = "Processors: arm64 (Graviton) or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets that instances stand in."
  type        = list(string)
}

variable "endpoint_security_group_id" {
  description = "Group of the interface endpoints."
  type        = string
}

variable "gateway_prefix_list_ids" {
  description = "Address lists of `s3` and `dynamodb`."
  type        = object({ s3 = string, dynamodb = string })
}

variable "callers" {
  description = "Security groups that may call the service's port, each with a few words about who that is."
  type        = map(string)
  default     = {}
}

variable "target_group_arns" {
  description = "Target groups of load balancers that send to the service."
  type        = list(string)
  default     = []
}

variable "port" {
  description = "Port of probes, metrics and, where the service has one, its API."
  type        = number

  validation {
    condition     = var.port >= 1024 && var.port <= 65535
    error_message = "port is 1024 to 65535: below that it would take root."
  }
}

variable "touches" {
  description = "What the service touches, as the topology says it; its role is derived from this and allows nothing else."
  type = object({
    consumes    = optional(list(string), [])
    produces    = optional(list(string), [])
    reads       = optional(list(string), [])
    confirms    = optional(list(string), [])
    writes      = optional(list(string), [])
    deletes     = optional(list(string), [])
    puts_latest = optional(bool, false)
  })
}

variable "places" {
  description = "Where that is: bucket and key of every zone, ARN of every queue and of the tables of latest records."
  type = object({
    zones              = map(object({ bucket_arn = string, kms_key_arn = string }))
    queue_arns         = map(string)
    queue_kms_key_arn  = optional(string)
    table_arns         = optional(list(string), [])
    table_kms_key_arns = optional(list(string), [])
  })
}

variable "environment" {
  description = "Settings of the service besides its prefix, port, region and stop timeout."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : startswith(name, "WINDROW_") && !contains(["WINDROW_PREFIX", "WINDROW_PORT", "WINDROW_STOP_TIMEOUT_S"], name)])
    error_message = "environment holds variables WINDROW_…; prefix, port and stop timeout have inputs of their own."
  }
}

variable "memory_mib" {
  description = "Memory of the container, in MiB: what the instance has, less about 500 for the system. One that takes more is killed."
  type        = number
  default     = 2048

  validation {
    condition     = var.memory_mib >= 512
    error_message = "memory_mib is at least 512."
  }
}

variable "tmp_mib" {
  description = "Room of /tmp where it is in memory; it counts as memory of the container."
  type        = number
  default     = 64

  validation {
    condition     = var.tmp_mib >= 16
    error_message = "tmp_mib is at least 16."
  }
}

variable "stop_timeout_s" {
  description = "Longest drain after SIGTERM. Five seconds later the container is killed."
  type        = number
  default     = 25

  validation {
    condition     = var.stop_timeout_s >= 5 && var.stop_timeout_s <= 115
    error_message = "stop_timeout_s is 5 to 115."
  }
}

variable "scaling" {
  description = "Fewest and most instances, and what decides between them: `backlog_per_task` messages waiting in `queues` (physical names), or `cpu_percent` used. A target of messages is the rate of one instance times the seconds that a message may wait."
  type = object({
    min              = optional(number, 1)
    max              = optional(number, 1)
    queues           = optional(list(string), [])
    backlog_per_task = optional(number, 100)
    cpu_percent      = optional(number)
  })
  default = {}

  validation {
    condition     = var.scaling.min >= 1 && var.scaling.max >= var.scaling.min
    error_message = "scaling.min is at least 1 (a backlog per no instance is no number), scaling.max at least scaling.min."
  }

  validation {
    condition     = var.scaling.max == var.scaling.min || length(var.scaling.queues) > 0 || var.scaling.cpu_percent != null
    error_message = "scaling between min and max needs queues or cpu_percent to go by."
  }

  validation {
    condition     = length(var.scaling.queues) <= 5 && var.scaling.backlog_per_task > 0
    error_message = "scaling.queues are at most five, and backlog_per_task is more than 0."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the numbers of days that CloudWatch Logs offers, such as 30, 90 or 365."
  }
}

variable "log_kms_key_arn" {
  description = "Key that encrypts the logs; it must let CloudWatch Logs use it."
  type        = string
}

variable "instance_types" {
  description = "Instance types; several where spot is used. They must have the processors that `architecture` says."
  type        = list(string)
  default     = ["m7g.large"]

  validation {
    condition     = length(var.instance_types) > 0
    error_message = "instance_types names at least one."
  }
}

variable "image_id" {
  description = "Machine image, of the Amazon Linux 2023 kind; null takes the newest. Name one to decide yourself when instances change."
  type        = string
  default     = null

  validation {
    condition     = var.image_id == null ? true : can(regex("^ami-[0-9a-f]+$", var.image_id))
    error_message = "image_id begins with ami-."
  }
}

variable "spot_percent" {
  description = "Share of instances on spot capacity, in percent."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "spot_percent is 0 to 100."
  }
}

variable "is_tmp_on_disk" {
  description = "Whether /tmp lies on the instance's volume, for a service that sorts there; otherwise it is in memory."
  type        = bool
  default     = false
}

variable "volume_gib" {
  description = "Size of the instance's volume."
  type        = number
  default     = 20

  validation {
    condition     = var.volume_gib >= 8
    error_message = "volume_gib is at least 8, the size of the machine image."
  }
}

variable "volume_kms_key_arn" {
  description = "Key that encrypts volumes; null takes the one of the account that AWS manages for EBS."
  type        = string
  default     = null
}

variable "max_age_days" {
  description = "Age at which an instance is replaced."
  type        = number
  default     = 14

  validation {
    condition     = var.max_age_days >= 1 && var.max_age_days <= 365
    error_message = "max_age_days is 1 to 365."
  }
}
