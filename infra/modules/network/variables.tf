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


variable "cidr" {
  description = "Addresses of the network. Each zone gets a sixteenth of it, so /16 gives 4,091 tasks a zone."
  type        = string
  default     = "10.60.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 32) <= 20
    error_message = "cidr is an IPv4 range from /16 to /20, such as 10.60.0.0/16."
  }
}

variable "availability_zones" {
  description = "Availability zones to stand in, two to six. Every interface endpoint is paid for in each."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 6 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones are two to six different zones, such as [\"eu-central-1a\", \"eu-central-1b\"]."
  }
}

variable "has_public_subnets" {
  description = "Whether there are subnets with a way to the internet, for a public load balancer and nothing else."
  type        = bool
  default     = false
}

variable "has_emr" {
  description = "Whether hosts of EMR stand here: the network gets the tag that AWS's policy for EMR asks for, and the endpoint of S3 lets through EMR's own buckets."
  type        = bool
  default     = false
}

variable "bucket_arns" {
  description = "Buckets that can be reached from inside. All others are out of reach, whatever a role allows."
  type        = list(string)

  validation {
    condition     = length(var.bucket_arns) > 0 && alltrue([for arn in var.bucket_arns : can(regex("^arn:[^:]+:s3:::[^*/]+$", arn))])
    error_message = "bucket_arns are ARNs of buckets, at least one, without wildcards."
  }
}

variable "interface_services" {
  description = "AWS services with an interface endpoint, as they are called at the end of an endpoint's service name. The defaults are what ECS on EC2 needs without a NAT; each is paid for per zone and hour, so leave out what is not used."
  type        = set(string)
  default = [
    "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "kinesis-streams", "logs", "monitoring", "secretsmanager",
    "sqs", "ssm", "ssmmessages", "ec2messages", "sts",
  ]

  validation {
    condition     = alltrue([for service in var.interface_services : contains(keys(local.namespaces), service)])
    error_message = "interface_services are of: ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, kinesis-streams, kms, logs, monitoring, secretsmanager, sqs, ssm, ssmmessages, ec2messages, sts."
  }
}

variable "log_kms_key_arn" {
  description = "Key that encrypts the flow logs; it must let CloudWatch Logs use it."
  type        = string
}

variable "flow_log_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "flow_log_retention_days is one of the numbers of days that CloudWatch Logs offers, such as 30 or 365."
  }
}
