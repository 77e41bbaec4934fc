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

variable "stream" {
  description = "Stream whose latest records the table holds."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,62}$", var.stream))
    error_message = "stream is 1 to 63 characters of a-z, 0-9, '-' and '_', and starts with a letter."
  }
}

variable "table" {
  description = "Name of the table in the stream's spec (`sinks`, kind `dynamodb`). Its physical name is `<prefix>.<stream>.<table>`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,150}$", var.table))
    error_message = "table is 1 to 150 characters of letters, digits, '_', '.' and '-'."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the table."
  type        = string
}

variable "classification" {
  description = "How the data is classified; it becomes the tag `classification`."
  type        = string
  default     = "internal"

  validation {
    condition     = contains(["public", "internal", "confidential", "restricted"], var.classification)
    error_message = "classification is public, internal, confidential or restricted."
  }
}

variable "is_disposable" {
  description = "Whether `terraform destroy` may delete the table with what it holds."
  type        = bool
  default     = false
}

variable "max_write_units" {
  description = "Most writes a second that are paid for; null has no limit. The writer waits when it is reached, and so does every stream it commits."
  type        = number
  default     = null

  validation {
    condition     = var.max_write_units == null ? true : var.max_write_units >= 1
    error_message = "max_write_units is at least 1."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms."
  type        = list(string)
  default     = []
}
