# API Gateway's HTTP API before the private load balancer: TLS for the domain, tokens, throttling, a log of every request.

resource "aws_apigatewayv2_api" "front" {
  count = local.is_api ? 1 : 0

  name                         = local.name
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true # or the domain's rules could be walked around
  tags                         = merge(var.tags, { Name = local.name })
}

resource "aws_apigatewayv2_vpc_link" "front" {
  count = local.is_api ? 1 : 0

  name               = local.name
  subnet_ids         = var.private_subnet_ids
  security_group_ids = [aws_security_group.link[0].id]
  tags               = merge(var.tags, { Name = local.name })
}

resource "aws_security_group" "link" {
  count = local.is_api ? 1 : 0

  #checkov:skip=CKV2_AWS_5:attached to the VPC link, which checkov does not follow
  name        = "${local.name}-link"
  description = "API Gateway's way to the load balancer"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${local.name}-link" })
}

resource "aws_vpc_security_group_egress_rule" "link" {
  count = local.is_api ? 1 : 0

  security_group_id            = aws_security_group.link[0].id
  description                  = "The load balancer"
  referenced_security_group_id = aws_security_group.front.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(var.tags, { Name = "${local.name}-link" })
}

resource "aws_vpc_security_group_ingress_rule" "link" {
  count = local.is_api ? 1 : 0

  security_group_id            = aws_security_group.front.id
  description                  = "API Gateway"
  referenced_security_group_id = aws_security_group.link[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(var.tags, { Name = local.name })
}

resource "aws_apigatewayv2_integration" "ingest" {
  count = local.is_api ? 1 : 0

  api_id             = aws_apigatewayv2_api.front[0].id
  integration_type   = "HTTP_PROXY"
  integration_method = "ANY"
  integration_uri    = aws_lb_listener.https.arn
  connection_type    = "VPC_LINK"
  connection_id      = aws_apigatewayv2_vpc_link.front[0].id

  # WAF counts by sender. Behind the link all requests come from the same few addresses, so the sender's own is handed on,
  # and overwritten in case somebody sent a header of that name.
  request_parameters = { "overwrite:header.${local.address_header}" = "$context.identity.sourceIp" }

  tls_config {
    server_name_to_verify = var.domain
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = local.is_api && var.jwt != null ? 1 : 0

  api_id           = aws_apigatewayv2_api.front[0].id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audiences
  }
}

resource "aws_apigatewayv2_route" "records" {
  count = local.is_api ? 1 : 0

  #checkov:skip=CKV_AWS_309:without jwt, takes_anyone must say so, and WAF lets in only sender_cidrs
  api_id             = aws_apigatewayv2_api.front[0].id
  route_key          = "POST /v1/streams/{stream}/records"
  target             = "integrations/${aws_apigatewayv2_integration.ingest[0].id}"
  authorization_type = var.jwt == null ? "NONE" : "JWT"
  authorizer_id      = one(aws_apigatewayv2_authorizer.jwt[*].id)
}

resource "aws_apigatewayv2_stage" "front" {
  count = local.is_api ? 1 : 0

  api_id      = aws_apigatewayv2_api.front[0].id
  name        = "$default"
  auto_deploy = true
  tags        = merge(var.tags, { Name = local.name })

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_rate_limit    = var.max_requests_per_s
    throttling_burst_limit   = var.max_burst_requests
  }

  # No body, no token: what a sender sent is not for a log.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.requests[0].arn
    format = jsonencode({
      at           = "$context.requestTime"
      request      = "$context.requestId"
      from         = "$context.identity.sourceIp"
      route        = "$context.routeKey"
      path         = "$context.path"
      status       = "$context.status"
      answer_bytes = "$context.responseLength"
      took_ms      = "$context.responseLatency"
      error        = "$context.error.message"
    })
  }
}

resource "aws_apigatewayv2_domain_name" "front" {
  count = local.is_api ? 1 : 0

  domain_name = var.domain
  tags        = merge(var.tags, { Name = local.name })

  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "front" {
  count = local.is_api ? 1 : 0

  api_id      = aws_apigatewayv2_api.front[0].id
  domain_name = aws_apigatewayv2_domain_name.front[0].id
  stage       = aws_apigatewayv2_stage.front[0].id
}
