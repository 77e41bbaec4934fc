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

variable "queue" {
  description = "Queue that the messages are put on, made by `modules/queue`, and its key if it has one."
  type = object({
    name             = string
    arn              = string
    dead_letters_arn = string
    kms_key_arn      = optional(string)
  })
}

variable "schedules" {
  description = "Schedules by name: `expression` is `rate(…)`, `cron(…)` or `at(…)`, in `timezone`; `message` becomes the JSON body; `flexible_min` lets AWS be late by some minutes, to spread load. Empty makes nothing."
  type = map(object({
    expression   = string
    timezone     = optional(string, "UTC")
    message      = map(string)
    flexible_min = optional(number, 0)
    is_enabled   = optional(bool, true)
  }))
  default = {}

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : can(regex("^(rate|cron|at)\\(.+\\)$", schedule.expression))])
    error_message = "expression is rate(…), cron(…) or at(…), such as rate(15 minutes)."
  }

  validation {
    condition     = alltrue([for name in keys(var.schedules) : can(regex("^[0-9A-Za-z_.-]{1,64}$", name))])
    error_message = "Names of schedules are 1 to 64 characters of letters, digits, '_', '.' and '-'."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.flexible_min >= 0 && schedule.flexible_min <= 1440])
    error_message = "flexible_min is 0 to 1440."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the schedules, whose messages may tell what is pulled from where; null leaves it to AWS."
  type        = string
  default     = null
}
