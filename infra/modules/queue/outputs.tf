output "name" {
  description = "Physical name of the queue."
  value       = aws_sqs_queue.work.name
}

output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.work.arn
}

output "url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.work.url
}

output "dead_letters" {
  description = "Name, ARN and URL of the dead-letter queue."
  value = {
    name = aws_sqs_queue.dead.name
    arn  = aws_sqs_queue.dead.arn
    url  = aws_sqs_queue.dead.url
  }
}

output "alarm_arns" {
  description = "ARNs of the alarms: the oldest message, and dead letters."
  value       = [aws_cloudwatch_metric_alarm.oldest_message.arn, aws_cloudwatch_metric_alarm.dead_letters.arn]
}
