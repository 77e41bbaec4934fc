mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix                   = "farm"
  domain                   = "ingest.example.com"
  certificate_arn          = "arn:aws:acm:eu-central-1:111122223333:certificate/given"
  jwt                      = { issuer = "https://login.example.com/", audiences = ["windrow"], jwks_url = "https://login.example.com/keys" }
  vpc_id                   = "vpc-1"
  private_subnet_ids       = ["subnet-1", "subnet-2"]
  public_subnet_ids        = ["subnet-3", "subnet-4"]
  target_security_group_id = "sg-1"
  port                     = 8080
  access_log_bucket        = "farm-logs"
  log_kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/logs"
  sender_cidrs             = ["0.0.0.0/0"]
}

run "behind_an_api_the_load_balancer_is_private" {
  assert {
    condition     = aws_lb.front.internal && length(aws_vpc_security_group_ingress_rule.senders) == 0
    error_message = "Only API Gateway reaches it."
  }

  assert {
    condition     = aws_apigatewayv2_route.records[0].authorization_type == "JWT"
    error_message = "A token is asked for."
  }

  assert {
    condition     = aws_apigatewayv2_api.front[0].disable_execute_api_endpoint
    error_message = "There is no second door."
  }
}

run "a_sender_is_counted_by_its_own_address" {
  assert {
    condition     = aws_apigatewayv2_integration.ingest[0].request_parameters["overwrite:header.x-windrow-sender"] == "$context.identity.sourceIp"
    error_message = "API Gateway says who sent, and overwrites what a sender says of itself."
  }
}

run "the_load_balancer_can_stand_alone" {
  variables {
    kind = "balancer"
  }

  assert {
    condition     = !aws_lb.front.internal && length(aws_apigatewayv2_api.front) == 0
    error_message = "No API Gateway is left."
  }

  assert {
    condition     = [for action in aws_lb_listener_rule.records.action : action.type] == ["jwt-validation", "forward"]
    error_message = "It checks tokens itself."
  }

  assert {
    condition     = length(aws_vpc_security_group_egress_rule.issuer) == 1
    error_message = "It may fetch the keys that tokens are checked with."
  }
}

run "nothing_but_records_is_let_in" {
  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "fixed-response" && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "Probes and metrics are not for senders."
  }
}

run "it_does_not_stand_open_by_mistake" {
  command = plan

  variables {
    jwt = null
  }

  expect_failures = [var.takes_anyone]
}

run "a_load_balancer_must_be_told_where_the_keys_are" {
  command = plan

  variables {
    kind = "balancer"
    jwt  = { issuer = "https://login.example.com/", audiences = ["windrow"] }
  }

  expect_failures = [var.jwt]
}
