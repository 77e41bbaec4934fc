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
  description = "Name of the producer, after the prefix."
  type        = string
  default     = "producer"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.name))
    error_message = "name is 1 to 30 characters of a-z, 0-9 and '-', and starts with a letter."
  }
}

variable "stream" {
  description = "Kinesis data stream that events are put on, and its key; made by `modules/stream`."
  type = object({
    name        = string
    arn         = string
    kms_key_arn = string
  })
}

variable "kms_key_arn" {
  description = "Key that encrypts logs and the function's environment; it must let `logs.amazonaws.com` use it."
  type        = string
}

variable "jwt" {
  description = "Issuer and audiences of the tokens that senders show; null asks for requests signed with AWS credentials instead. There is no way in without either."
  type        = object({ issuer = string, audience = list(string) })
  default     = null

  validation {
    condition     = var.jwt == null ? true : startswith(var.jwt.issuer, "https://") && length(var.jwt.audience) > 0
    error_message = "jwt.issuer begins with https://, and jwt.audience names at least one audience."
  }
}

variable "allowed_origins" {
  description = "Sites whose pages may send events from a browser, such as `https://example.com`; empty: no browser may."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.allowed_origins : startswith(origin, "https://") && !strcontains(origin, "*")])
    error_message = "allowed_origins begin with https:// and hold no '*'."
  }
}

variable "max_requests_per_s" {
  description = "Requests a second that are let through; others are answered 429."
  type        = number
  default     = 100

  validation {
    condition     = var.max_requests_per_s >= 1
    error_message = "max_requests_per_s is at least 1."
  }
}

variable "max_burst_requests" {
  description = "Requests that are let through at once."
  type        = number
  default     = 200

  validation {
    condition     = var.max_burst_requests >= 1
    error_message = "max_burst_requests is at least 1."
  }
}

variable "max_concurrency" {
  description = "Requests that are worked on at the same time. It is taken out of what the account may run in all."
  type        = number
  default     = 20

  validation {
    condition     = var.max_concurrency >= 1
    error_message = "max_concurrency is at least 1."
  }
}

variable "memory_mib" {
  description = "Memory of the function; its share of a processor grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mib >= 128 && var.memory_mib <= 10240
    error_message = "memory_mib is 128 to 10240."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms."
  type        = list(string)
  default     = []
}
