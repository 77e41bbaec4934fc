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

variable "release_label" {
  description = "EMR release. `windrow.spark` is written for Spark 4, which releases named `emr-spark-8…` have."
  type        = string
  default     = "emr-spark-8.0.0"

  validation {
    condition     = can(regex("^emr-spark-([89]|[1-9][0-9])\\.", var.release_label))
    error_message = "release_label is emr-spark-8.0.0 or later: earlier releases have Spark 3."
  }
}

variable "lake" {
  description = "Bucket of the lake, and its key."
  type        = object({ bucket_arn = string, kms_key_arn = string })
}

variable "config" {
  description = "Bucket of the specs, and its key."
  type        = object({ bucket_arn = string, kms_key_arn = string })
}

variable "output" {
  description = "Bucket in which jobs have the folder `backfills/`, and its key."
  type        = object({ bucket_name = string, bucket_arn = string, kms_key_arn = string })
}

variable "max_cpu" {
  description = "Most vCPUs of all jobs together: what bounds the bill."
  type        = number
  default     = 64

  validation {
    condition     = var.max_cpu >= 4
    error_message = "max_cpu is at least 4: a driver and one executor."
  }
}

variable "max_memory_gib" {
  description = "Most memory of all jobs together."
  type        = number
  default     = 512

  validation {
    condition     = var.max_memory_gib >= 16
    error_message = "max_memory_gib is at least 16."
  }
}

variable "max_disk_gib" {
  description = "Most disk of all jobs together."
  type        = number
  default     = 2000

  validation {
    condition     = var.max_disk_gib >= 40
    error_message = "max_disk_gib is at least 40."
  }
}

variable "vpc_id" {
  description = "VPC that jobs run in."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: what may call EMR's endpoint, which a cluster on EC2 has."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an IPv4 range, such as 10.60.0.0/16."
  }
}

variable "subnet_ids" {
  description = "Private subnets that jobs run in; a cluster on EC2 stands in the first."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids names at least one subnet."
  }
}

variable "endpoints_security_group_id" {
  description = "Security group of the VPC's interface endpoints."
  type        = string
}

variable "s3_prefix_list_id" {
  description = "Prefix list of the VPC's gateway endpoint for S3."
  type        = string
}

variable "cluster" {
  description = "A cluster on EC2 besides: type of its hosts, number of those that compute (one more leads them), and the seconds without work after which it ends. Null makes none. The VPC and the subnets need the tag `for-use-with-amazon-emr-managed-policies`, and the endpoint of S3 must let through EMR's buckets: `has_emr` of modules/network."
  type = object({
    instance_type  = optional(string, "r7g.2xlarge")
    instance_count = optional(number, 2)
    idle_s         = optional(number, 1800)
  })
  default = null

  validation {
    condition     = var.cluster == null ? true : var.cluster.instance_count >= 1 && var.cluster.idle_s >= 60 && var.cluster.idle_s <= 604800
    error_message = "cluster.instance_count is at least 1, cluster.idle_s 60 to 604800."
  }
}
