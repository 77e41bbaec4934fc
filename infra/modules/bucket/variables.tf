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
  description = "Name of the bucket in the topology. Its physical name is `<prefix>-<name>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,28}[a-z0-9]$", var.name))
    error_message = "name is 2 to 30 characters of a-z, 0-9 and '-', because a bucket's whole name has at most 63."
  }
}

variable "purpose" {
  description = "What the bucket holds, in a few words; it becomes a tag."
  type        = string
}

variable "classification" {
  description = "How the data is classified; it becomes the tag `classification`, which rules and reports can read."
  type        = string
  default     = "internal"

  validation {
    condition     = contains(["public", "internal", "confidential", "restricted"], var.classification)
    error_message = "classification is public, internal, confidential or restricted."
  }
}

variable "is_versioned" {
  description = "Whether overwritten and deleted objects are kept for `noncurrent_days`."
  type        = bool
  default     = false
}

variable "is_disposable" {
  description = "Whether `terraform destroy` deletes the bucket with everything in it. Without it, destroy refuses a bucket that holds objects."
  type        = bool
  default     = false
}

variable "key" {
  description = "Key that encrypts the objects; null makes one for this bucket. An object, because whether there is one must be known before it has an ARN."
  type        = object({ arn = string })
  default     = null
}

variable "lifecycles" {
  description = "What becomes of objects with time, by the beginning of their keys (such as `segments/`). `intelligent_after_days` moves them to intelligent tiering (0: at once), `glacier_after_days` to `glacier_class`, `expire_after_days` deletes them. Objects in `GLACIER` or `DEEP_ARCHIVE` cannot be read before they are restored, so a replay of such an object fails; `GLACIER_IR` is read at once."
  type = map(object({
    intelligent_after_days = optional(number)
    glacier_after_days     = optional(number)
    glacier_class          = optional(string, "GLACIER_IR")
    expire_after_days      = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for prefix in keys(var.lifecycles) : endswith(prefix, "/") && !startswith(prefix, "/")])
    error_message = "lifecycles are keyed by the beginning of keys, such as \"segments/\": with '/' at the end and none at the start."
  }

  validation {
    condition = alltrue([
      for rule in values(var.lifecycles) : contains(["GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], rule.glacier_class)
    ])
    error_message = "glacier_class is GLACIER_IR, GLACIER or DEEP_ARCHIVE."
  }

  validation {
    condition = alltrue([
      for rule in values(var.lifecycles) :
      rule.expire_after_days == null ? true : rule.expire_after_days > max(coalesce(rule.glacier_after_days, 0), coalesce(rule.intelligent_after_days, 0))
    ])
    error_message = "expire_after_days is at least 1, and later than the moves to other storage classes."
  }

  validation {
    condition = alltrue([
      for rule in values(var.lifecycles) :
      rule.glacier_after_days == null || rule.intelligent_after_days == null ? true : rule.glacier_after_days > rule.intelligent_after_days
    ])
    error_message = "glacier_after_days is later than intelligent_after_days."
  }

  validation {
    condition = alltrue([
      for prefix, rule in var.lifecycles : rule.expire_after_days == null
      if can(regex("^(lake|batches|config)/|^results/([^/]+/)?$|^results/[^/]+/records/", prefix))
    ])
    error_message = "lake/, batches/, config/ and results/<stream>/records/ never expire by age. A table's log names its files (the writer removes old days itself, see `retention` in the spec); an object of landing/ without its manifest in batches/ is decoded again; and what was sealed is told by results/<stream>/records/ once its segments are gone."
  }

  validation {
    condition = alltrue([
      for prefix, rule in var.lifecycles : coalesce(rule.expire_after_days, 36500) > var.late_horizon_days
      if startswith(prefix, "segments/") || startswith(prefix, "results/")
    ])
    error_message = "segments/ and results/<stream>/windows_<name>/ expire only later than late_horizon_days: a refresh needs every segment of its bucket for as long as records may come late (law 6)."
  }
}

variable "late_horizon_days" {
  description = "How late a record may come and still find the segments of its bucket. Nothing that a refresh reads expires sooner."
  type        = number
  default     = 30

  validation {
    condition     = var.late_horizon_days >= 1
    error_message = "late_horizon_days is at least 1."
  }
}

variable "noncurrent_days" {
  description = "Days that overwritten and deleted objects are kept in a versioned bucket."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days is at least 1."
  }
}

variable "abort_upload_days" {
  description = "Days after which the parts of a multipart upload that nobody completed are deleted."
  type        = number
  default     = 3

  validation {
    condition     = var.abort_upload_days >= 1
    error_message = "abort_upload_days is at least 1."
  }
}

variable "immutable_prefixes" {
  description = "Beginnings of keys, such as `landing/`, under which an object can be put only with `If-None-Match: *`, so that nothing is ever overwritten. Firehose, DMS and CopyObject cannot send the header: name their roles in `unconditional_writer_arns`, or they are refused."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for prefix in var.immutable_prefixes : endswith(prefix, "/")])
    error_message = "immutable_prefixes end with '/'."
  }
}

variable "unconditional_writer_arns" {
  description = "Roles that may put under `immutable_prefixes` without `If-None-Match`: AWS services that deliver there under keys of their own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.unconditional_writer_arns : can(regex("^arn:[^:]+:iam::[0-9]{12}:role/", arn))])
    error_message = "unconditional_writer_arns are ARNs of roles."
  }
}

variable "access_log_bucket" {
  description = "Name of the bucket that receives this one's access logs, under `<bucket>/`; null writes none."
  type        = string
  default     = null
}

variable "receives_access_logs" {
  description = "Whether this bucket is where S3 delivers the access logs of the deployment's other buckets. S3 does that only under SSE-S3, so such a bucket has no key."
  type        = bool
  default     = false

  validation {
    condition     = !(var.receives_access_logs && var.access_log_bucket != null)
    error_message = "A bucket that receives access logs does not write its own: each line would make another."
  }
}

variable "policies" {
  description = "Further policy documents (JSON) for the bucket, such as what CloudTrail needs to deliver."
  type        = list(string)
  default     = []
}
