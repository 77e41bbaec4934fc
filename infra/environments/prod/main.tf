# A deployment that data depends on: three zones, on-demand hosts, an audit trail, and nothing goes by mistake.

module "windrow" {
  source = "../../modules/pipeline"

  prefix         = var.prefix
  tags           = { environment = "prod" }
  images         = jsondecode(file("${path.module}/images.json")).images # written by `make push`
  compute        = "ecs"
  architecture   = "arm64"
  network        = { availability_zones = var.availability_zones }
  front          = var.front
  classification = "confidential"

  hosts = {
    edge     = { instance_types = ["c7g.large", "c6g.large"], min = 3, max = 12, volume_gib = 30, target_percent = 90 }
    internal = { instance_types = ["m7g.xlarge", "m6g.xlarge"], min = 3, max = 30, on_demand_base = 3, spot_percent = 50, volume_gib = 200, target_percent = 90 }
  }

  services = {
    ingest      = { cpu = 1024, memory_mib = 2048, min = 3, max = 12 }
    consumer    = { cpu = 1024, memory_mib = 4096, min = 3, max = 40, backlog_per_task = 200 }
    windower    = { cpu = 1024, memory_mib = 4096, min = 2, max = 20, backlog_per_task = 500 }
    writer      = { cpu = 2048, memory_mib = 8192, min = 2, max = 8, backlog_per_task = 1000, scratch_gib = 100 }
    reprocessor = { cpu = 512, memory_mib = 1024 }
  }

  lifecycles = {
    "landing/"  = { intelligent_after_days = 0, glacier_after_days = 180 }
    "segments/" = { expire_after_days = 120 }
    "exports/"  = { intelligent_after_days = 30 }
  }

  late_horizon_days  = 90
  log_retention_days = 365
  is_disposable      = false
  query              = { is_enabled = true, streams = var.streams, max_scanned_bytes = 1099511627776 }

  watch = {
    alarm_emails       = var.alarm_emails
    streams            = { for stream in keys(var.streams) : stream => {} }
    monthly_budget_usd = 3000
    audits             = true
  }
}
