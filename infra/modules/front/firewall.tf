# Rules before ingest: who may send at all, and how much one sender may send. Only about addresses: bodies are data, and data
# may look like an attack on something that is not here.

locals {
  address_header = "x-windrow-sender"
  is_bounded     = !contains(var.sender_cidrs, "0.0.0.0/0")
}

resource "aws_wafv2_ip_set" "senders" {
  count = local.is_bounded ? 1 : 0

  name               = "${local.name}-senders"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = var.sender_cidrs
  tags               = var.tags
}

resource "aws_wafv2_web_acl" "front" {
  #checkov:skip=CKV_AWS_192:the rule looks for Log4j's lookups in bodies; ingest has no Java, and a record that quotes one is a record
  name  = local.name
  scope = "REGIONAL"
  tags  = merge(var.tags, { Name = local.name })

  default_action {
    allow {}
  }

  dynamic "rule" {
    for_each = local.is_bounded ? ["senders"] : []

    content {
      name     = rule.value
      priority = 1

      action {
        block {}
      }

      statement {
        not_statement {
          statement {
            ip_set_reference_statement {
              arn = aws_wafv2_ip_set.senders[0].arn

              dynamic "ip_set_forwarded_ip_config" {
                for_each = local.is_api ? [local.address_header] : []

                content {
                  header_name       = ip_set_forwarded_ip_config.value
                  position          = "FIRST"
                  fallback_behavior = "NO_MATCH"
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${local.name}-senders"
        sampled_requests_enabled   = true
      }
    }
  }

  rule {
    name     = "rate"
    priority = 2

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.max_requests_per_sender
        evaluation_window_sec = 60
        aggregate_key_type    = local.is_api ? "FORWARDED_IP" : "IP"

        dynamic "forwarded_ip_config" {
          for_each = local.is_api ? [local.address_header] : []

          content {
            header_name       = forwarded_ip_config.value
            fallback_behavior = "MATCH"
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.name}-rate"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "front" {
  resource_arn = aws_lb.front.arn
  web_acl_arn  = aws_wafv2_web_acl.front.arn
}

resource "aws_wafv2_web_acl_logging_configuration" "front" {
  resource_arn            = aws_wafv2_web_acl.front.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  # What was let through is in the access log already.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.delivery]
}
