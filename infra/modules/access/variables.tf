variable "consumes" {
  description = "Queues that it receives from, by their names in the topology."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for queue in var.consumes : contains(keys(var.queue_arns), queue)])
    error_message = "consumes names queues of queue_arns."
  }
}

variable "produces" {
  description = "Queues that it sends to, by their names in the topology."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for queue in var.produces : contains(keys(var.queue_arns), queue)])
    error_message = "produces names queues of queue_arns."
  }
}

variable "reads" {
  description = "Zones that it reads and lists."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for zone in var.reads : contains(keys(var.zones), zone)])
    error_message = "reads names zones of zones."
  }
}

variable "confirms" {
  description = "Zones of `reads` in which it only asks whose object stands there (HEAD). It gets no key to the bucket's contents, unless another zone of that bucket is read."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for zone in var.confirms : contains(var.reads, zone)])
    error_message = "confirms names zones of reads."
  }
}

variable "writes" {
  description = "Zones that it puts objects into."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for zone in var.writes : contains(keys(var.zones), zone)])
    error_message = "writes names zones of zones."
  }
}

variable "deletes" {
  description = "Zones that it deletes objects from."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for zone in var.deletes : contains(var.writes, zone)])
    error_message = "deletes names zones of writes: nobody deletes what another wrote."
  }
}

variable "zones" {
  description = "Bucket of every zone, and the key that encrypts it. Keys must not be shared between buckets, or `confirms` gives more than it says."
  type        = map(object({ bucket_arn = string, kms_key_arn = string }))
}

variable "queue_arns" {
  description = "ARN of every queue, dead-letter queues among them, by name in the topology."
  type        = map(string)
}

variable "queue_kms_key_arn" {
  description = "Key that encrypts the queues; null where SQS does it by itself."
  type        = string
  default     = null
}

variable "table_arns" {
  description = "DynamoDB tables that it puts latest records into."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.table_arns : can(regex("^arn:[^:]+:dynamodb:[^*]+$", arn))])
    error_message = "table_arns are ARNs of tables, without wildcards."
  }
}

variable "table_kms_key_arns" {
  description = "Keys that encrypt those tables."
  type        = list(string)
  default     = []
}
