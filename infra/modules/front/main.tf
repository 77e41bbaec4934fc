# Where records come in over HTTPS. A load balancer always stands before ingest, because it drains connections and is where
# WAF can be attached (an HTTP API cannot have one). With `kind = "api"` it is private and API Gateway stands before it; with
# `kind = "balancer"` it faces the senders itself.

data "aws_caller_identity" "current" {}

locals {
  name   = "${var.prefix}-front"
  is_api = var.kind == "api"
}

resource "aws_lb" "front" {
  #checkov:skip=CKV_AWS_150:protection from deletion is for each deployment to say
  #checkov:skip=CKV2_AWS_20:there is no listener for plain HTTP that could redirect
  name                       = local.name
  load_balancer_type         = "application"
  internal                   = local.is_api
  subnets                    = local.is_api ? var.private_subnet_ids : var.public_subnet_ids
  security_groups            = [aws_security_group.front.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.is_protected
  idle_timeout               = 60
  tags                       = merge(var.tags, { Name = local.name })

  access_logs {
    enabled = true
    bucket  = var.access_log_bucket
    prefix  = local.name
  }
}

# A request is answered once its records are in S3, so draining may take as long as that, and not longer than the task's own drain.
resource "aws_lb_target_group" "ingest" {
  #checkov:skip=CKV_AWS_378:TLS ends here; from here on it is one hop, inside security groups that know only each other
  name                 = local.name
  target_type          = var.target_type
  vpc_id               = var.vpc_id
  port                 = var.port
  protocol             = "HTTP"
  deregistration_delay = var.drain_s
  tags                 = merge(var.tags, { Name = local.name })

  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 5
    timeout             = 4
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.front.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  tags              = merge(var.tags, { Name = local.name })

  # Probes, metrics and whatever else a service answers are for inside.
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      message_body = "{\"error\":\"not found\"}"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "records" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10
  tags         = merge(var.tags, { Name = local.name })

  condition {
    path_pattern {
      values = ["/v1/streams/*"]
    }
  }

  # API Gateway has looked at the token already.
  dynamic "action" {
    for_each = local.is_api || var.jwt == null ? [] : [var.jwt]

    content {
      type  = "jwt-validation"
      order = 1

      jwt_validation {
        issuer        = action.value.issuer
        jwks_endpoint = action.value.jwks_url

        additional_claim {
          name   = "aud"
          format = "string-array"
          values = action.value.audiences
        }
      }
    }
  }

  action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.ingest.arn
  }
}

resource "aws_security_group" "front" {
  name        = local.name
  description = "The load balancer before ingest"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_ingress_rule" "senders" {
  for_each = local.is_api ? [] : var.sender_cidrs

  security_group_id = aws_security_group.front.id
  description       = "Senders"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(var.tags, { Name = local.name })
}

# The load balancer fetches the issuer's keys itself, from wherever they are.
resource "aws_vpc_security_group_egress_rule" "issuer" {
  count = local.is_api || var.jwt == null ? 0 : 1

  security_group_id = aws_security_group.front.id
  description       = "Keys of the issuer of tokens"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(var.tags, { Name = local.name })
}

resource "aws_vpc_security_group_egress_rule" "ingest" {
  security_group_id            = aws_security_group.front.id
  description                  = "Ingest"
  referenced_security_group_id = var.target_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  tags                         = merge(var.tags, { Name = local.name })
}
