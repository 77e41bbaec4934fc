mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix     = "farm"
  log_groups = { ingest = "/farm/ingest", consumer = "/farm/consumer", windower = "/farm/windower", writer = "/farm/writer" }
  queues     = { landed = { name = "farm-landed" }, writes = { name = "farm-writes" } }
  streams = {
    sensors = { max_behind_s = 60, max_silence_min = 15 }
    uploads = {}
  }
}

run "metrics_come_from_the_groups_of_those_who_log_them" {
  assert {
    condition     = aws_cloudwatch_log_metric_filter.event["CommitBehind-writer"].log_group_name == "/farm/writer"
    error_message = "The writer says how fresh its commits are."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.event["CommitBehind-writer"].metric_transformation[0].value == "$.behind_s"
    error_message = "Freshness is the field behind_s."
  }

  assert {
    condition     = toset([for name in keys(aws_cloudwatch_log_metric_filter.event) : name if startswith(name, "MessagesDeadLettered")]) == toset(["MessagesDeadLettered-consumer", "MessagesDeadLettered-windower", "MessagesDeadLettered-writer"])
    error_message = "Whoever buries messages is counted."
  }
}

run "every_stream_has_its_alarms" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.behind["sensors"].threshold == 60 && aws_cloudwatch_metric_alarm.behind["uploads"].threshold == 300
    error_message = "Limits are the stream's, or the default."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.silent) == ["sensors"] && aws_cloudwatch_metric_alarm.silent["sensors"].treat_missing_data == "breaching"
    error_message = "A stream that may not be silent alarms when nothing comes, and only such a stream."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.quarantine) == 2 && length(aws_cloudwatch_metric_alarm.halted) == 2
    error_message = "Quarantine and halts are watched for each stream."
  }
}

run "every_alarm_tells_the_topic" {
  assert {
    condition = alltrue([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.behind), values(aws_cloudwatch_metric_alarm.silent),
        values(aws_cloudwatch_metric_alarm.quarantine), values(aws_cloudwatch_metric_alarm.halted),
        values(aws_cloudwatch_metric_alarm.buried), values(aws_cloudwatch_metric_alarm.stopped),
        values(aws_cloudwatch_metric_alarm.errors),
      ) : contains(alarm.alarm_actions, output.topic_arn)
    ])
    error_message = "An alarm that tells nobody is none."
  }
}

run "hosts_are_on_the_page_once_they_are_named" {
  variables {
    clusters    = ["farm-workers"]
    host_groups = ["farm-workers-hosts"]
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.pipeline.dashboard_body).widgets) == 9
    error_message = "With hosts and clusters all nine widgets are there."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.cluster) == ["farm-workers-cpu", "farm-workers-memory"]
    error_message = "Processor and memory of a cluster are watched."
  }
}

run "an_empty_widget_is_left_out" {
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.pipeline.dashboard_body).widgets) == 7
    error_message = "CloudWatch refuses a dashboard with an empty widget."
  }
}

run "audit_and_budget_are_switches" {
  assert {
    condition     = length(aws_cloudtrail.audit) == 0 && length(aws_budgets_budget.monthly) == 0 && length(aws_config_config_rule.kept) == 0
    error_message = "What is paid for by the event is off by default."
  }
}

run "the_trail_records_writes_of_the_named_buckets" {
  variables {
    audited_bucket_arns   = ["arn:aws:s3:::farm-raw"]
    monthly_budget_usd    = 300
    budget_tag            = { key = "deployment", value = "farm" }
    has_config_rules      = true
    makes_config_recorder = true
  }

  assert {
    condition = toset([
      for selector in aws_cloudtrail.audit["audit"].advanced_event_selector[0].field_selector : selector.field
    ]) == toset(["eventCategory", "resources.type", "resources.ARN", "readOnly"])
    error_message = "Objects of the named buckets, and only what changes them."
  }

  assert {
    condition     = output.audit_bucket_name == module.audit[0].name
    error_message = "Audit logs have a bucket of their own."
  }

  assert {
    condition     = one(one(aws_budgets_budget.monthly[0].cost_filter).values) == "user:deployment$farm"
    error_message = "A budget by tag names the tag and its value."
  }

  assert {
    condition     = length(aws_budgets_budget.monthly[0].notification) == 4
    error_message = "Three thresholds and a forecast."
  }

  assert {
    condition     = jsondecode(aws_config_config_rule.kept["data-classified"].input_parameters) == { tag1Key = "classification" }
    error_message = "Data must be classified."
  }
}

run "a_budget_has_five_notifications" {
  command = plan

  variables {
    budget_thresholds_percent = [10, 20, 30, 40, 50]
  }

  expect_failures = [var.budget_thresholds_percent]
}
