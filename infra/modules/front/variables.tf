variable "prefix" {
  description = "Name of the deployment; every physical name starts with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.prefix))
    error_message = "prefix is 2 to 32 characters of a-z, 0-9 and '-', starts with a letter and does not end with '-'."
  }

  validation {
    condition     = length(var.prefix) <= 26
    error_message = "prefix has at most 26 characters where there is a front: the load balancer is called <prefix>-front, and such a name has at most 32."
  }
}

variable "tags" {
  description = "Tags of everything made here."
  type        = map(string)
  default     = {}
}


variable "kind" {
  description = "`api`: API Gateway (tokens, throttling) before a private load balancer; bodies up to 10 MB, answers within 30 s. `balancer`: the load balancer faces the senders; bodies as large as ingest takes them."
  type        = string
  default     = "api"

  validation {
    condition     = contains(["api", "balancer"], var.kind)
    error_message = "kind is api or balancer."
  }
}

variable "domain" {
  description = "Name that senders call, such as ingest.example.com. Point it at the output `target`."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain is a host name, such as ingest.example.com."
  }
}

variable "certificate_arn" {
  description = "Certificate for the domain in ACM, in the deployment's region."
  type        = string

  validation {
    condition     = can(regex("^arn:[^:]+:acm:[^*]+$", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in ACM."
  }
}

variable "jwt" {
  description = "Who issues the tokens that senders bring, and for whom. `jwks_url` is needed with `kind = \"balancer\"`; API Gateway finds it at the issuer. Null asks for no token."
  type = object({
    issuer    = string
    audiences = list(string)
    jwks_url  = optional(string)
  })
  default = null

  validation {
    condition     = var.jwt == null ? true : startswith(var.jwt.issuer, "https://") && length(var.jwt.audiences) > 0
    error_message = "jwt.issuer begins with https://, and jwt.audiences names at least one."
  }

  validation {
    condition     = var.jwt == null || var.kind == "api" ? true : var.jwt.jwks_url != null
    error_message = "kind = \"balancer\" needs jwt.jwks_url: a load balancer does not look for it at the issuer."
  }
}

variable "sender_cidrs" {
  description = "Addresses that may send. WAF refuses all others; [\"0.0.0.0/0\"] lets in everybody."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.sender_cidrs : can(cidrhost(cidr, 0))])
    error_message = "sender_cidrs are ranges of addresses, such as 203.0.113.0/24."
  }
}

variable "takes_anyone" {
  description = "Whether it is meant that anybody may send: without tokens, from everywhere. Ingest asks for no proof itself."
  type        = bool
  default     = false

  validation {
    condition     = var.takes_anyone || var.jwt != null || (length(var.sender_cidrs) > 0 && !contains(var.sender_cidrs, "0.0.0.0/0"))
    error_message = "Ingest would take records from anybody. Set jwt, or bound sender_cidrs, or say takes_anyone = true."
  }
}

variable "max_requests_per_s" {
  description = "Requests a second that API Gateway lets through, all senders together."
  type        = number
  default     = 1000

  validation {
    condition     = var.max_requests_per_s >= 1
    error_message = "max_requests_per_s is at least 1."
  }
}

variable "max_burst_requests" {
  description = "Requests at once that API Gateway lets through."
  type        = number
  default     = 500

  validation {
    condition     = var.max_burst_requests >= 1
    error_message = "max_burst_requests is at least 1."
  }
}

variable "max_requests_per_sender" {
  description = "Requests a minute from one address, beyond which it is answered 429."
  type        = number
  default     = 6000

  validation {
    condition     = var.max_requests_per_sender >= 10
    error_message = "max_requests_per_sender is at least 10, which WAF asks for."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "private_subnet_ids" {
  description = "Subnets of the private load balancer and of API Gateway's link, with `kind = \"api\"`."
  type        = list(string)
}

variable "public_subnet_ids" {
  description = "Subnets of the public load balancer, with `kind = \"balancer\"`."
  type        = list(string)
  default     = []

  validation {
    condition     = var.kind == "api" || length(var.public_subnet_ids) >= 2
    error_message = "kind = \"balancer\" needs two public subnets."
  }
}

variable "target_type" {
  description = "What registers with the target group: `ip` for tasks of ECS, `instance` for instances of an auto-scaling group."
  type        = string
  default     = "ip"

  validation {
    condition     = contains(["ip", "instance"], var.target_type)
    error_message = "target_type is ip or instance."
  }
}

variable "target_security_group_id" {
  description = "Group of ingest's tasks or instances."
  type        = string
}

variable "port" {
  description = "Port of ingest."
  type        = number
}

variable "drain_s" {
  description = "Seconds in which requests under way are finished when a task goes; not longer than the task's own drain."
  type        = number
  default     = 20

  validation {
    condition     = var.drain_s >= 1 && var.drain_s <= 110
    error_message = "drain_s is 1 to 110."
  }
}

variable "access_log_bucket" {
  description = "Bucket for the load balancer's access logs; it must let `logdelivery.elasticloadbalancing.amazonaws.com` put them."
  type        = string
}

variable "is_protected" {
  description = "Whether the load balancer refuses to be deleted until this is false."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days that logs of requests are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the numbers of days that CloudWatch Logs offers, such as 30, 90 or 365."
  }
}

variable "log_kms_key_arn" {
  description = "Key that encrypts the logs; it must let CloudWatch Logs use it."
  type        = string
}
