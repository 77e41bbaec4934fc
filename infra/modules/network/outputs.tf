output "vpc_id" {
  description = "The network."
  value       = aws_vpc.workers.id
}

output "cidr" {
  description = "Addresses of the network."
  value       = aws_vpc.workers.cidr_block
}

output "private_subnet_ids" {
  description = "Subnets of workers, one per zone, in the order of `availability_zones`."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]

  # Who starts here needs the doors from the first second, and until the last: a task that cannot pull its image counts
  # against its roll-out, and a host that cannot reach ECS never tells that its tasks have stopped, so destroy waits for ever.
  depends_on = [
    aws_route_table_association.private,
    aws_vpc_endpoint.dynamodb,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_vpc_security_group_ingress_rule.endpoints,
  ]
}

output "public_subnet_ids" {
  description = "Subnets of a public load balancer, one per zone; empty without them."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id if var.has_public_subnets]

  # A load balancer that faces the internet is refused where there is no way there.
  depends_on = [aws_route_table_association.public]
}

output "endpoint_security_group_id" {
  description = "Group of the interface endpoints: where workers send HTTPS to."
  value       = aws_security_group.endpoints.id
}

output "gateway_prefix_list_ids" {
  description = "Address lists of S3 and DynamoDB, by service: where workers send HTTPS to besides."
  value = {
    s3       = aws_vpc_endpoint.s3.prefix_list_id
    dynamodb = aws_vpc_endpoint.dynamodb.prefix_list_id
  }
}
