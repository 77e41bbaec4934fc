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
  description = "Name of the queue in the topology. Its physical name is `<prefix>-<name>`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name is 2 to 40 characters of a-z, 0-9 and '-'; FIFO queues are not used."
  }
}

variable "purpose" {
  description = "What the messages ask for, in a few words; it becomes a tag."
  type        = string
}

variable "visibility_s" {
  description = "Seconds that a received message is hidden from others, unless its worker asks for more, as Windrow's do."
  type        = number

  validation {
    condition     = var.visibility_s >= 30 && var.visibility_s <= 43200
    error_message = "visibility_s is 30 to 43200."
  }
}

variable "max_receives" {
  description = "Times that a message is received before it goes to the dead-letter queue."
  type        = number

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 1000
    error_message = "max_receives is 1 to 1000."
  }
}

variable "retention_s" {
  description = "Seconds that a message is kept if nobody deletes it."
  type        = number

  validation {
    condition     = var.retention_s >= 60 && var.retention_s <= 1209600
    error_message = "retention_s is 60 to 1209600 (14 days)."
  }
}

variable "dead_letters" {
  description = "The end of the dead-letter queue's name, and how many seconds a message is kept there. SQS counts from when it was first sent, so this must not be less than `retention_s`."
  type = object({
    suffix      = optional(string, "-dead")
    retention_s = optional(number, 1209600)
  })
  default = {}

  validation {
    condition     = can(regex("^-[a-z]+$", var.dead_letters.suffix))
    error_message = "dead_letters.suffix is '-' and letters, such as -dead."
  }

  validation {
    condition     = var.dead_letters.retention_s >= var.retention_s && var.dead_letters.retention_s <= 1209600
    error_message = "dead_letters.retention_s is at least retention_s, because its clock starts when the message was first sent, and at most 1209600 (14 days)."
  }
}

variable "receive_wait_s" {
  description = "Seconds that a receive waits for messages when the receiver names no time."
  type        = number
  default     = 20

  validation {
    condition     = var.receive_wait_s >= 1 && var.receive_wait_s <= 20
    error_message = "receive_wait_s is 1 to 20; 0 would poll servers at random and pay for empty answers."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the messages; null leaves it to SQS. The key must let `s3.amazonaws.com` use it if a bucket sends events here."
  type        = string
  default     = null
}

variable "event_bucket_arns" {
  description = "Buckets of this account whose events S3 may send here."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.event_bucket_arns : can(regex("^arn:[^:]+:s3:::[^*]+$", arn))])
    error_message = "event_bucket_arns are ARNs of buckets, without wildcards."
  }
}

variable "max_age_s" {
  description = "Age of the oldest message, in seconds, from which on the alarm sounds."
  type        = number
  default     = 300

  validation {
    condition     = var.max_age_s >= 60 && var.max_age_s < var.retention_s
    error_message = "max_age_s is at least 60, and less than retention_s: after that there is nothing left to be late."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms."
  type        = list(string)
  default     = []
}
