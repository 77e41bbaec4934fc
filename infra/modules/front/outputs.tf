output "target" {
  description = "Where the domain's DNS record must point, and the hosted zone to name in an alias record."
  value = local.is_api ? {
    name    = aws_apigatewayv2_domain_name.front[0].domain_name_configuration[0].target_domain_name
    zone_id = aws_apigatewayv2_domain_name.front[0].domain_name_configuration[0].hosted_zone_id
    } : {
    name    = aws_lb.front.dns_name
    zone_id = aws_lb.front.zone_id
  }
}

output "target_group_arn" {
  description = "Target group that ingest registers with."
  value       = aws_lb_target_group.ingest.arn

  # ECS refuses a target group that no listener uses.
  depends_on = [aws_lb_listener_rule.records]
}

output "security_group_id" {
  description = "Group of the load balancer, which calls ingest."
  value       = aws_security_group.front.id
}
