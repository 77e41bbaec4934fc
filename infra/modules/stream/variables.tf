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
  description = "Name of the data stream. Its physical name is `<prefix>-<name>`."
  type        = string
  default     = "records"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,24}$", var.name))
    error_message = "name is 1 to 25 characters of a-z, 0-9 and '-', because roles are named after it."
  }
}

variable "shard_count" {
  description = "Shards, each for 1 MB/s or 1,000 records a second; null lets AWS scale on demand."
  type        = number
  default     = null

  validation {
    condition     = var.shard_count == null ? true : var.shard_count >= 1 && floor(var.shard_count) == var.shard_count
    error_message = "shard_count is a whole number from 1."
  }
}

variable "retention_h" {
  description = "Hours that records are kept."
  type        = number
  default     = 24

  validation {
    condition     = var.retention_h >= 24 && var.retention_h <= 8760
    error_message = "retention_h is 24 to 8760 (a year)."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the records in the stream."
  type        = string
}

variable "copy" {
  description = "Delivery of the records to S3 by Firehose; null has none. Objects go to `<key_prefix><yyyy-mm-dd>/`, failures to `error_key_prefix`. With `key_prefix = \"landing/<stream>/\"` this is how records of Kinesis enter the pipeline; with any other it is an archive. `file_extension` tells the decoder what an object holds."
  type = object({
    bucket_arn       = string
    kms_key_arn      = string
    key_prefix       = string
    error_key_prefix = optional(string, "undelivered/")
    buffer_s         = optional(number, 60)
    buffer_mib       = optional(number, 64)
    file_extension   = optional(string, ".ndjson.gz")
    log_kms_key_arn  = optional(string)
  })
  default = null

  validation {
    condition     = var.copy == null ? true : endswith(var.copy.key_prefix, "/") && endswith(var.copy.error_key_prefix, "/")
    error_message = "copy.key_prefix and copy.error_key_prefix end with '/'."
  }

  validation {
    condition     = var.copy == null ? true : !startswith(var.copy.error_key_prefix, "landing/")
    error_message = "copy.error_key_prefix is not in landing/: what lands there is decoded."
  }

  validation {
    condition     = var.copy == null ? true : !startswith(var.copy.key_prefix, "landing/") || can(regex("^landing/[a-z][a-z0-9_-]{0,62}/$", var.copy.key_prefix))
    error_message = "In the landing zone, copy.key_prefix is landing/<stream>/: the second part of a key is the stream."
  }

  validation {
    condition     = var.copy == null ? true : var.copy.buffer_s >= 0 && var.copy.buffer_s <= 900 && var.copy.buffer_mib >= 1 && var.copy.buffer_mib <= 128
    error_message = "copy.buffer_s is 0 to 900, copy.buffer_mib 1 to 128."
  }

  validation {
    condition     = var.copy == null ? true : can(regex("^\\.[a-z]+\\.gz$", var.copy.file_extension))
    error_message = "copy.file_extension is a format and .gz, such as .ndjson.gz: copies are compressed."
  }
}

variable "log_retention_days" {
  description = "Days that Firehose's own log of failed deliveries is kept."
  type        = number
  default     = 30
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms."
  type        = list(string)
  default     = []
}
