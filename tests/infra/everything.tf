# A deployment with every option of modules/pipeline switched on. test_terraform.py plans it with each kind of compute
# and of front.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"
    }
  }
}

variable "compute" {
  type = string
}

variable "front" {
  type = string
}

module "windrow" {
  source = "../../modules/pipeline"

  prefix             = "hay-farm"
  images             = jsondecode(file("${path.module}/../prod/images.json")).images
  compute            = var.compute
  network            = { availability_zones = ["eu-central-1a", "eu-central-1b"] }
  classification     = "confidential"
  late_horizon_days  = 90
  log_retention_days = 365
  is_disposable      = false

  hosts = {
    edge     = { instance_types = ["c7g.large"], min = 2, max = 4, volume_gib = 30, target_percent = 90 }
    internal = { instance_types = ["m7g.xlarge"], min = 2, max = 9, volume_gib = 200, target_percent = 90 }
  }

  services = {
    ingest      = { cpu = 1024, memory_mib = 2048, min = 2, max = 12 }
    consumer    = { cpu = 1024, memory_mib = 4096, min = 2, max = 40, backlog_per_task = 200 }
    windower    = { cpu = 1024, memory_mib = 4096, min = 2, max = 20, backlog_per_task = 500 }
    writer      = { cpu = 2048, memory_mib = 8192, min = 2, max = 8, backlog_per_task = 1000, scratch_gib = 100 }
    reprocessor = { cpu = 512, memory_mib = 1024 }
  }

  lifecycles = {
    "landing/"  = { intelligent_after_days = 0, glacier_after_days = 180 }
    "segments/" = { expire_after_days = 120 }
  }

  front = {
    kind            = var.front
    domain          = "ingest.example.com"
    certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
    jwt             = { issuer = "https://login.example.com/", audiences = ["windrow"], jwks_url = "https://login.example.com/keys" }
    sender_cidrs    = ["0.0.0.0/0"]
  }

  kinesis   = { is_enabled = true, copy_to_stream = "sensors" }
  producer  = { is_enabled = true }
  schedules = { pull = { expression = "rate(15 minutes)", message = { source = "weather" } } }
  serving   = { newest = { stream = "sensors", table = "newest" } }
  backfill  = { is_enabled = true, cluster = {} }

  replications = {
    shop = {
      stream = "orders"
      tables = [{ schema = "public", table = "orders" }]

      source_database = {
        engine            = "postgres"
        database          = "shop"
        port              = 5432
        secret_arn        = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop"
        security_group_id = "sg-1"
      }
    }
  }

  query = {
    is_enabled        = true
    has_crawlers      = true
    streams           = { sensors = { windows = ["every_minute"] } }
    max_scanned_bytes = 1099511627776
    exports           = { sensors = "exports/sensors/" }
    redshift          = { workgroup_name = "windrow", database = "analysis" }
  }

  watch = {
    alarm_emails          = ["operator@example.com"]
    streams               = { sensors = {} }
    monthly_budget_usd    = 3000
    audits                = true
    has_config_rules      = true
    makes_config_recorder = true
  }
}
