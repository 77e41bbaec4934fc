# The way in: one route, authorised, limited, logged.

resource "aws_apigatewayv2_api" "events" {
  name          = local.name
  description   = "Small events for ${var.stream.name}"
  protocol_type = "HTTP"
  tags          = var.tags

  dynamic "cors_configuration" {
    for_each = length(var.allowed_origins) > 0 ? [var.allowed_origins] : []

    content {
      allow_origins = cors_configuration.value
      allow_methods = ["POST"]
      allow_headers = ["authorization", "content-type"]
      max_age       = 3600
    }
  }
}

resource "aws_apigatewayv2_integration" "producer" {
  api_id                 = aws_apigatewayv2_api.events.id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.producer.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 20000
}

resource "aws_apigatewayv2_route" "events" {
  api_id             = aws_apigatewayv2_api.events.id
  route_key          = "POST /events"
  target             = "integrations/${aws_apigatewayv2_integration.producer.id}"
  authorization_type = var.jwt == null ? "AWS_IAM" : "JWT"
  authorizer_id      = one(aws_apigatewayv2_authorizer.jwt[*].id)
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.events.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.events.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit    = var.max_requests_per_s
    throttling_burst_limit   = var.max_burst_requests
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      at      = "$context.requestTime"
      id      = "$context.requestId"
      ip      = "$context.identity.sourceIp"
      status  = "$context.status"
      bytes   = "$context.responseLength"
      took_ms = "$context.responseLatency"
      error   = "$context.error.message"
    })
  }
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:how long is an input; addresses of visitors are not kept longer than needed
  name              = "/${var.prefix}/${var.name}-access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_permission" "front" {
  statement_id   = "front"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.producer.function_name
  principal      = "apigateway.amazonaws.com"
  source_arn     = "${aws_apigatewayv2_api.events.execution_arn}/$default/POST/events"
  source_account = data.aws_caller_identity.current.account_id
}
