# A deployment to try things on: small, on spot, and gone with everything in it on `terraform destroy`.

module "windrow" {
  source = "../../modules/pipeline"

  prefix       = var.prefix
  tags         = { environment = "dev" }
  images       = jsondecode(file("${path.module}/images.json")).images # written by `make push`
  compute      = "ecs"
  architecture = "arm64"
  network      = { availability_zones = var.availability_zones }
  front        = var.front

  hosts = {
    edge     = { instance_types = ["c7g.large", "c6g.large"], max = 2, spot_percent = 100, volume_gib = 30 }
    internal = { instance_types = ["m7g.large", "m6g.large"], max = 3, spot_percent = 100, volume_gib = 60 }
  }

  services = {
    ingest      = { cpu = 512, memory_mib = 1024, max = 2 }
    consumer    = { cpu = 512, memory_mib = 2048, max = 2, backlog_per_task = 200 }
    windower    = { cpu = 512, memory_mib = 2048, max = 2, backlog_per_task = 500 }
    writer      = { cpu = 512, memory_mib = 2048, max = 2, backlog_per_task = 1000, scratch_gib = 10 }
    reprocessor = { cpu = 256, memory_mib = 512 }
  }

  lifecycles = {
    "landing/"  = { intelligent_after_days = 0 }
    "segments/" = { expire_after_days = 45 }
  }

  late_horizon_days  = 30
  log_retention_days = 14
  is_disposable      = true
  query              = { is_enabled = true, streams = var.streams, max_scanned_bytes = 10737418240 }

  watch = {
    alarm_emails       = var.alarm_emails
    streams            = { for stream in keys(var.streams) : stream => { max_behind_s = 600 } }
    max_errors         = 5
    monthly_budget_usd = 300
  }
}
