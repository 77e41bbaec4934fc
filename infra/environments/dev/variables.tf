variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "availability_zones" {
  description = "Availability zones to stand in."
  type        = list(string)
  default     = ["eu-central-1a", "eu-central-1b"]
}

variable "prefix" {
  description = "Name of the deployment. Names of buckets are shared with the whole world, so choose one that is yours."
  type        = string
  default     = "example-windrow-dev"
}

variable "front" {
  description = "HTTPS before ingest: domain, certificate and who may send; see modules/front. Null leaves ingest inside the network."
  type = object({
    kind            = optional(string, "api")
    domain          = string
    certificate_arn = string
    jwt             = optional(object({ issuer = string, audiences = list(string), jwks_url = optional(string) }))
    sender_cidrs    = optional(set(string), [])
    takes_anyone    = optional(bool, false)
  })
  default = null
}

variable "alarm_emails" {
  description = "Addresses that are told of alarms."
  type        = set(string)
  default     = []
}

variable "streams" {
  description = "Streams with tables in the catalogue and alarms, with the names of their windows as in their specs."
  type        = map(object({ windows = optional(list(string), []) }))
  default     = {}
}

variable "is_emulated" {
  description = "Whether AWS_ENDPOINT_URL names an emulator, which has neither accounts nor names of buckets in host names."
  type        = bool
  default     = false
}
