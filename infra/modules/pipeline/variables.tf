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


variable "images" {
  description = "Image of every service by its digest, as `make push` writes them down in `images.json`."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(jsondecode(file("${path.module}/../../topology.json")).services), keys(var.images))) == 0
    error_message = "images must name the image of every service in the topology; `make push` does."
  }

  validation {
    condition     = alltrue([for image in values(var.images) : !endswith(image, ":${join("", [for _ in range(64) : "0"])}")])
    error_message = "images are those of the example: nothing has been pushed yet. Run `make push REGISTRY=… ENV=…` first."
  }
}

variable "compute" {
  description = "What containers run on: `ecs` (on EC2), `fargate`, or `hosts` (plain EC2, without ECS)."
  type        = string
  default     = "ecs"

  validation {
    condition     = contains(["ecs", "fargate", "hosts"], var.compute)
    error_message = "compute is ecs, fargate or hosts."
  }
}

variable "architecture" {
  description = "Processors: arm64 (Graviton) or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "network" {
  description = "Availability zones to stand in, and the addresses of the network."
  type = object({
    availability_zones = list(string)
    cidr               = optional(string, "10.60.0.0/16")
  })
}

variable "hosts" {
  description = "Hosts of ingest (`edge`), which face senders, and of all others (`internal`). With `compute = \"hosts\"` every service has instances of this kind, as many as `services` says."
  type = map(object({
    instance_types = list(string)
    min            = optional(number, 1)
    max            = optional(number, 4)
    on_demand_base = optional(number, 0)
    spot_percent   = optional(number, 0)
    target_percent = optional(number, 100)
    volume_gib     = optional(number, 50)
    max_age_days   = optional(number, 14)
  }))
  default = {}

  validation {
    condition     = var.compute == "fargate" || (contains(keys(var.hosts), "edge") && contains(keys(var.hosts), "internal"))
    error_message = "hosts names edge and internal: what faces senders does not share hosts with what reads what they sent."
  }
}

variable "has_door" {
  description = "Whether Fargate has a small host that people go through to the reprocessor, see modules/door; without it nobody calls the reprocessor, and three interface endpoints fewer are paid for. Elsewhere there are hosts for that."
  type        = bool
  default     = true
}

variable "services" {
  description = "Numbers of every service: size of a task, fewest and most of them, what they scale by, room of /tmp on disk (the writer sorts there), and settings `WINDROW_…`."
  type = map(object({
    cpu              = optional(number, 1024)
    memory_mib       = optional(number, 2048)
    min              = optional(number, 1)
    max              = optional(number, 1)
    backlog_per_task = optional(number, 100)
    cpu_percent      = optional(number, 60)
    scratch_gib      = optional(number)
    environment      = optional(map(string), {})
  }))

  validation {
    condition     = toset(keys(var.services)) == toset(keys(jsondecode(file("${path.module}/../../topology.json")).services))
    error_message = "services names exactly the services of the topology."
  }
}

variable "front" {
  description = "HTTPS before ingest, see modules/front; null leaves ingest inside the network, for senders that land objects themselves."
  type = object({
    kind                    = optional(string, "api")
    domain                  = string
    certificate_arn         = string
    jwt                     = optional(object({ issuer = string, audiences = list(string), jwks_url = optional(string) }))
    sender_cidrs            = optional(set(string), [])
    takes_anyone            = optional(bool, false)
    max_requests_per_s      = optional(number, 1000)
    max_burst_requests      = optional(number, 500)
    max_requests_per_sender = optional(number, 6000)
  })
  default = null
}

variable "classification" {
  description = "How the data is classified; it becomes the tag `classification` of everything that holds data."
  type        = string
  default     = "internal"

  validation {
    condition     = contains(["public", "internal", "confidential", "restricted"], var.classification)
    error_message = "classification is public, internal, confidential or restricted."
  }
}

variable "lifecycles" {
  description = "What becomes of objects with time, by the beginning of their keys, see modules/bucket. Keys begin with a zone."
  type = map(object({
    intelligent_after_days = optional(number)
    glacier_after_days     = optional(number)
    glacier_class          = optional(string, "GLACIER_IR")
    expire_after_days      = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for beginning in keys(var.lifecycles) : contains(keys(jsondecode(file("${path.module}/../../topology.json")).zones), split("/", beginning)[0])])
    error_message = "lifecycles are keyed by beginnings of keys, and keys begin with a zone of the topology, such as \"segments/\"."
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

variable "max_message_age_s" {
  description = "Age of a queue's oldest message, in seconds, from which on its alarm sounds."
  type        = number
  default     = 300
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 90
}

variable "is_disposable" {
  description = "Whether `terraform destroy` deletes buckets and tables with everything in them. For a trial; where data matters, false."
  type        = bool
  default     = false
}

variable "kinesis" {
  description = "A Kinesis stream for producers that put records one by one; `shard_count` null is on demand. Its records become the stream `copy_to_stream` of Windrow, landed by Firehose; with null nothing of Windrow reads them."
  type = object({
    is_enabled     = optional(bool, false)
    shard_count    = optional(number)
    retention_h    = optional(number, 24)
    copy_to_stream = optional(string)
    buffer_s       = optional(number, 60)
    buffer_mib     = optional(number, 64)
  })
  default = {}
}

variable "producer" {
  description = "API Gateway and a Lambda function before the Kinesis stream, for sites that post small events, see modules/producer."
  type = object({
    is_enabled         = optional(bool, false)
    jwt                = optional(object({ issuer = string, audience = list(string) }))
    allowed_origins    = optional(list(string), [])
    max_requests_per_s = optional(number, 100)
    max_concurrency    = optional(number, 20)
  })
  default = {}

  validation {
    condition     = !var.producer.is_enabled || var.kinesis.is_enabled
    error_message = "The producer puts events on the Kinesis stream: set kinesis.is_enabled."
  }
}

variable "replications" {
  description = "Databases whose tables are brought to the landing zone by DMS, by name, see modules/replication."
  type = map(object({
    stream = string
    source_database = object({
      engine             = string
      database           = string
      port               = number
      secret_arn         = string
      secret_kms_key_arn = optional(string)
      security_group_id  = string
      ssl_mode           = optional(string, "require")
      certificate_arn    = optional(string)
    })
    tables             = list(object({ schema = string, table = string }))
    replication_type   = optional(string, "full-load-and-cdc")
    max_capacity_units = optional(number, 4)
  }))
  default = {}
}

variable "schedules" {
  description = "Messages put on the queue `<prefix>-pulls` by the clock, see modules/schedule. No service of Windrow reads that queue today: it is for a worker of yours."
  type = map(object({
    expression   = string
    timezone     = optional(string, "UTC")
    message      = map(string)
    flexible_min = optional(number, 0)
    is_enabled   = optional(bool, true)
  }))
  default = {}
}

variable "query" {
  description = "Glue, Athena and, where asked for, Redshift Spectrum and QuickSight over the lake, see modules/query."
  type = object({
    is_enabled        = optional(bool, false)
    streams           = optional(map(object({ windows = optional(list(string), []) })), {})
    has_crawlers      = optional(bool, false)
    crawler_schedule  = optional(string)
    exports           = optional(map(string), {})
    max_scanned_bytes = optional(number, 107374182400)
    redshift          = optional(object({ workgroup_name = string, database = string, schema = optional(string, "windrow") }))
    quicksight        = optional(object({ user_arn = string, stream = string, window = string, key = string, value = string, columns = map(string) }))
  })
  default = {}
}

variable "serving" {
  description = "DynamoDB tables of latest records, for streams whose specs have a sink of the kind `dynamodb`."
  type = map(object({
    stream          = string
    table           = string
    max_write_units = optional(number)
  }))
  default = {}
}

variable "backfill" {
  description = "EMR for the Spark back-fill, see modules/backfill. Without jobs it costs nothing but what `cluster` runs and its two endpoints."
  type = object({
    is_enabled     = optional(bool, false)
    max_cpu        = optional(number, 64)
    max_memory_gib = optional(number, 512)
    cluster        = optional(object({ instance_type = optional(string, "r7g.2xlarge"), instance_count = optional(number, 2), idle_s = optional(number, 1800) }))
  })
  default = {}
}

variable "watch" {
  description = "Who is told, of what, and what is recorded, see modules/watch. `audits` records who read and wrote objects, which is paid for by the event."
  type = object({
    alarm_emails = optional(set(string), [])
    streams = optional(map(object({
      max_behind_s           = optional(number, 300)
      max_quarantine_percent = optional(number, 5)
      max_silence_min        = optional(number)
    })), {})
    max_errors            = optional(number, 0)
    monthly_budget_usd    = optional(number)
    audits                = optional(bool, false)
    audits_reads          = optional(bool, false)
    has_config_rules      = optional(bool, false)
    makes_config_recorder = optional(bool, false)
  })
  default = {}
}
