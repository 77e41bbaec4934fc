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

variable "lake" {
  description = "Bucket of the lake, and its key."
  type = object({
    bucket_name = string
    bucket_arn  = string
    kms_key_arn = string
  })
}

variable "streams" {
  description = "Streams whose tables are entered in the catalogue, with the names of their windows as in their specs."
  type        = map(object({ windows = optional(list(string), []) }))
  default     = {}

  validation {
    condition     = alltrue([for stream in keys(var.streams) : can(regex("^[a-z][a-z0-9_-]{0,62}$", stream))])
    error_message = "Names of streams are 1 to 63 characters of a-z, 0-9, '-' and '_', and start with a letter."
  }
}

variable "has_crawlers" {
  description = "Whether crawlers keep the tables in the catalogue, columns and all, instead of Terraform. Needed by readers that do not read Delta logs for their columns; each run is paid for."
  type        = bool
  default     = false
}

variable "exports" {
  description = "Folders of Parquet exports (`sinks`, kind `parquet`), by the name of their crawler, such as `{ sensors = \"exports/sensors/\" }`; they become tables `exported_…`."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for folder in values(var.exports) : can(regex("^exports/.+/$", folder))])
    error_message = "Folders of exports are exports/…/."
  }
}

variable "crawler_schedule" {
  description = "When crawlers run, such as `cron(15 * * * ? *)`; null: when somebody starts them."
  type        = string
  default     = null

  validation {
    condition     = var.crawler_schedule == null ? true : can(regex("^cron\\(.+\\)$", var.crawler_schedule))
    error_message = "crawler_schedule is cron(…)."
  }
}

variable "max_scanned_bytes" {
  description = "Most bytes that one query reads before Athena cancels it. Athena charges by what is read."
  type        = number
  default     = 107374182400

  validation {
    condition     = var.max_scanned_bytes >= 10485760
    error_message = "max_scanned_bytes is at least 10485760 (10 MiB), as Athena wants."
  }
}

variable "result_retention_days" {
  description = "Days that results of queries are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.result_retention_days >= 1
    error_message = "result_retention_days is at least 1."
  }
}

variable "classification" {
  description = "How the data is classified; results of queries are no less than what they were asked of."
  type        = string
  default     = "internal"

  validation {
    condition     = contains(["public", "internal", "confidential", "restricted"], var.classification)
    error_message = "classification is public, internal, confidential or restricted."
  }
}

variable "access_log_bucket" {
  description = "Bucket that receives the access logs of the bucket of results; null writes none."
  type        = string
  default     = null
}

variable "log_kms_key_arn" {
  description = "Key that encrypts the crawlers' logs; it must let CloudWatch Logs use it. Needed with crawlers."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn != null || !(var.has_crawlers || length(var.exports) > 0)
    error_message = "log_kms_key_arn encrypts what crawlers log; it is needed with has_crawlers and with exports."
  }
}

variable "redshift" {
  description = "Redshift Serverless workgroup that gets an external schema over the catalogue; null gives none. The workgroup's namespace must be allowed `redshift_role_arn`."
  type = object({
    workgroup_name = string
    database       = string
    schema         = optional(string, "windrow")
  })
  default = null

  validation {
    condition     = var.redshift == null ? true : can(regex("^[a-z][a-z0-9_]*$", var.redshift.schema))
    error_message = "redshift.schema is made of a-z, 0-9 and '_' and starts with a letter."
  }
}

variable "quicksight" {
  description = "Table of windows that QuickSight shows to a user: `value` by time, a line for each `key`; both are among `columns`, with their QuickSight types. Null shows nothing. The account must have QuickSight."
  type = object({
    user_arn = string
    stream   = string
    window   = string
    key      = string
    value    = string
    columns  = map(string)
  })
  default = null

  validation {
    condition     = var.quicksight == null ? true : contains(keys(var.quicksight.columns), var.quicksight.key) && contains(keys(var.quicksight.columns), var.quicksight.value)
    error_message = "quicksight.key and quicksight.value are among quicksight.columns."
  }

  validation {
    condition     = var.quicksight == null ? true : alltrue([for type in values(var.quicksight.columns) : contains(["STRING", "INTEGER", "DECIMAL", "DATETIME", "BIT", "BOOLEAN"], type)])
    error_message = "Types of quicksight.columns are STRING, INTEGER, DECIMAL, DATETIME, BIT or BOOLEAN."
  }
}
