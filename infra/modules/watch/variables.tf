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

variable "alarm_emails" {
  description = "Addresses that are told of alarms. Each gets a mail first and must confirm."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alarm_emails are addresses, such as operator@example.com."
  }
}

variable "log_groups" {
  description = "Log group of each service, by its name in the topology (`consumer`, `writer` …)."
  type        = map(string)
}

variable "queues" {
  description = "Physical name of each queue, by its name in the topology."
  type        = map(object({ name = string }))
}

variable "streams" {
  description = "Streams with alarms: `max_behind_s` from arrival to table, `max_quarantine_percent` of records in five minutes, and `max_silence_min` without any record (null: may be silent for ever)."
  type = map(object({
    max_behind_s           = optional(number, 300)
    max_quarantine_percent = optional(number, 5)
    max_silence_min        = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for limits in values(var.streams) : limits.max_behind_s >= 1])
    error_message = "max_behind_s is at least 1."
  }

  validation {
    condition     = alltrue([for limits in values(var.streams) : limits.max_quarantine_percent >= 0 && limits.max_quarantine_percent < 100])
    error_message = "max_quarantine_percent is at least 0 and less than 100."
  }

  validation {
    condition     = alltrue([for limits in values(var.streams) : limits.max_silence_min == null ? true : limits.max_silence_min >= 1 && limits.max_silence_min <= 1440])
    error_message = "max_silence_min is 1 to 1440: an alarm looks back a day at most."
  }
}

variable "max_errors" {
  description = "Errors that a service may log in five minutes."
  type        = number
  default     = 0

  validation {
    condition     = var.max_errors >= 0
    error_message = "max_errors is at least 0."
  }
}

variable "clusters" {
  description = "Names of ECS clusters whose hosts are watched."
  type        = set(string)
  default     = []
}

variable "host_groups" {
  description = "Names of the auto-scaling groups whose hosts are watched."
  type        = set(string)
  default     = []
}

variable "max_host_percent" {
  description = "Use of processor or memory of hosts, in percent, from which on it is pressure."
  type        = number
  default     = 85

  validation {
    condition     = var.max_host_percent > 0 && var.max_host_percent <= 100
    error_message = "max_host_percent is more than 0 and at most 100."
  }
}

variable "monthly_budget_usd" {
  description = "What a month may cost, in US dollars; null has no budget."
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd is more than 0."
  }
}

variable "budget_tag" {
  description = "Tag by which the deployment's costs are told from others, such as `{ key = \"deployment\", value = \"farm\" }`; it must be activated as a cost allocation tag. Null: the budget is of the whole account."
  type        = object({ key = string, value = string })
  default     = null
}

variable "budget_thresholds_percent" {
  description = "Shares of the budget, in percent, at which somebody is told. That more than all of it is forecast is told too."
  type        = set(number)
  default     = [50, 80, 100]

  validation {
    condition     = length(var.budget_thresholds_percent) <= 4 && alltrue([for share in var.budget_thresholds_percent : share > 0])
    error_message = "budget_thresholds_percent are at most four numbers more than 0: a budget has five notifications, and one is the forecast."
  }
}

variable "audited_bucket_arns" {
  description = "Buckets whose objects' reads and writes CloudTrail records. Empty makes no trail. Each event is paid for: a busy pipeline makes many."
  type        = list(string)
  default     = []
}

variable "audits_reads" {
  description = "Whether reads are recorded too, not only writes and deletions."
  type        = bool
  default     = false
}

variable "audit_retention_days" {
  description = "Days that audit logs are kept."
  type        = number
  default     = 400

  validation {
    condition     = var.audit_retention_days > 90
    error_message = "audit_retention_days is more than 90: after 90 days logs move to Glacier."
  }
}

variable "access_log_bucket" {
  description = "Bucket that receives the access logs of the audit bucket; null writes none."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps the trail's events, and the least that a rule of AWS Config asks of every log group."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the numbers that CloudWatch takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 …"
  }
}

variable "has_config_rules" {
  description = "Whether AWS Config checks what stands against the rules of `config.tf`. It needs a recorder."
  type        = bool
  default     = false
}

variable "makes_config_recorder" {
  description = "Whether AWS Config's recorder is made here. An account has one in each region, so only where there is none."
  type        = bool
  default     = false
}

variable "is_disposable" {
  description = "Whether `terraform destroy` deletes the audit bucket with everything in it."
  type        = bool
  default     = false
}
