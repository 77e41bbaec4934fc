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

variable "is_enabled" {
  description = "Whether anything is made at all."
  type        = bool
  default     = false
}

variable "name" {
  description = "Name of the replication, after the prefix."
  type        = string
  default     = "replication"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}$", var.name)) && !strcontains(var.name, "--")
    error_message = "name is 1 to 23 characters of a-z, 0-9 and single '-', as DMS wants it."
  }
}

variable "stream" {
  description = "Stream that the tables become: files land in `landing/<stream>/<schema>/<table>/`."
  type        = string
  default     = "replicated"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,62}$", var.stream))
    error_message = "stream is 1 to 63 characters of a-z, 0-9, '-' and '_', and starts with a letter."
  }
}

variable "source_database" {
  description = "The database: `engine` as DMS names it (`postgres`, `mysql`, `sqlserver` …), `secret_arn` a secret with host, port, username and password, `security_group_id` the group it listens in."
  type = object({
    engine             = string
    database           = string
    port               = number
    secret_arn         = string
    secret_kms_key_arn = optional(string)
    security_group_id  = string
    ssl_mode           = optional(string, "require")
    certificate_arn    = optional(string)
  })
  default = null

  validation {
    condition     = !var.is_enabled || var.source_database != null
    error_message = "source_database says what is replicated; it is needed with is_enabled."
  }

  validation {
    condition     = var.source_database == null ? true : contains(["require", "verify-ca", "verify-full"], var.source_database.ssl_mode)
    error_message = "source_database.ssl_mode is require, verify-ca or verify-full: nothing goes in the clear."
  }
}

variable "tables" {
  description = "Tables that are replicated; `%` stands for any."
  type        = list(object({ schema = string, table = string }))
  default     = []

  validation {
    condition     = !var.is_enabled || length(var.tables) > 0
    error_message = "tables says what is replicated; with is_enabled at least one is needed."
  }
}

variable "replication_type" {
  description = "`full-load`, `cdc` (changes only) or `full-load-and-cdc`."
  type        = string
  default     = "full-load-and-cdc"

  validation {
    condition     = contains(["full-load", "cdc", "full-load-and-cdc"], var.replication_type)
    error_message = "replication_type is full-load, cdc or full-load-and-cdc."
  }
}

variable "landing" {
  description = "Bucket of the landing zone, and its key."
  type = object({
    bucket_name = string
    bucket_arn  = string
    kms_key_arn = string
  })
}

variable "timestamp_column" {
  description = "Column that DMS adds: when a change was made (on a full load: when the task began)."
  type        = string
  default     = "dms_timestamp"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]*$", var.timestamp_column))
    error_message = "timestamp_column is made of a-z, 0-9 and '_' and starts with a letter."
  }
}

variable "max_file_kib" {
  description = "Size at which a file is ended."
  type        = number
  default     = 65536

  validation {
    condition     = var.max_file_kib >= 1 && var.max_file_kib <= 1048576
    error_message = "max_file_kib is 1 to 1048576 (1 GiB)."
  }
}

variable "max_wait_s" {
  description = "Seconds that changes wait for more to share a file."
  type        = number
  default     = 60

  validation {
    condition     = var.max_wait_s >= 1
    error_message = "max_wait_s is at least 1."
  }
}

variable "min_capacity_units" {
  description = "Fewest DMS capacity units; one is about 2 GiB of memory."
  type        = number
  default     = 1
}

variable "max_capacity_units" {
  description = "Most DMS capacity units."
  type        = number
  default     = 4

  validation {
    condition     = contains([1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384], var.max_capacity_units) && var.max_capacity_units >= var.min_capacity_units
    error_message = "max_capacity_units is 1, 2, 4, 8, 16, 32, 64, 128, 192, 256 or 384, and not less than min_capacity_units."
  }
}

variable "is_multi_az" {
  description = "Whether a second machine in another zone stands by."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key that encrypts what DMS itself keeps; null leaves it to the key that AWS keeps for DMS."
  type        = string
  default     = null
}

variable "vpc_id" {
  description = "VPC that replication runs in; needed with is_enabled."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones; needed with is_enabled."
  type        = list(string)
  default     = []

  validation {
    condition     = !var.is_enabled || length(var.subnet_ids) >= 2
    error_message = "subnet_ids are at least two, in different zones."
  }
}

variable "endpoints_security_group_id" {
  description = "Security group of the VPC's interface endpoints; needed with is_enabled."
  type        = string
  default     = null
}

variable "s3_prefix_list_id" {
  description = "Prefix list of the VPC's gateway endpoint for S3; needed with is_enabled."
  type        = string
  default     = null
}
