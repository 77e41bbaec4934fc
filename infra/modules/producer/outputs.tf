output "url" {
  description = "Where events are sent, with POST."
  value       = "${aws_apigatewayv2_api.events.api_endpoint}/events"
}

output "invoke_arn" {
  description = "What a sender's role must be allowed `execute-api:Invoke` on, when no tokens are used."
  value       = "${aws_apigatewayv2_api.events.execution_arn}/$default/POST/events"
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.producer.function_name
}
