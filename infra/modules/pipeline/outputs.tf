output "bucket_names" {
  description = "Physical name of every bucket, by its name in the topology."
  value       = { for name, bucket in module.buckets : name => bucket.name }
}

output "queue_urls" {
  description = "URL of every queue, by its name in the topology."
  value       = { for name, queue in module.queues : name => queue.url }
}

output "front_target" {
  description = "Where the domain's DNS record must point; null without a front."
  value       = one(module.front[*].target)
}

output "log_groups" {
  description = "Log group of every service."
  value       = local.log_groups
}

output "cluster_name" {
  description = "ECS cluster; null without ECS."
  value       = one(module.cluster[*].name)
}

output "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  value       = module.watch.topic_arn
}

output "stream_name" {
  description = "Kinesis stream that producers put records on; null without one."
  value       = one(module.stream[*].name)
}

output "producer_url" {
  description = "Where sites post events to; null without a producer."
  value       = one(module.producer[*].url)
}

output "workgroup" {
  description = "Athena workgroup that queries run in; null without queries."
  value       = one(module.query[*].workgroup)
}

output "backfill" {
  description = "EMR Serverless application, cluster on EC2 (null if there is none), job script and role of the back-fill; null without it."
  value = one([
    for backfill in module.backfill :
    { application_id = backfill.application_id, cluster_id = backfill.cluster_id, job_uri = backfill.job_uri, job_role_arn = backfill.job_role_arn }
  ])
}
