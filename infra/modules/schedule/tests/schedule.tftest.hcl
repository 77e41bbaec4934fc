mock_provider "aws" {
  source = "../../mocks"
}

variables {
  prefix = "farm"
  queue = {
    name             = "farm-pulls"
    arn              = "arn:aws:sqs:eu-central-1:111122223333:farm-pulls"
    dead_letters_arn = "arn:aws:sqs:eu-central-1:111122223333:farm-pulls-dead"
  }
}

run "without_schedules_nothing_is_made" {
  assert {
    condition     = output.group_name == null && length(aws_iam_role.schedule) == 0
    error_message = "Schedules are a switch that is off."
  }
}

run "a_schedule_asks_on_its_queue_alone" {
  variables {
    schedules = { weather = { expression = "rate(15 minutes)", message = { stream = "weather" } } }
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.pull["weather"].target[0].input) == { stream = "weather" }
    error_message = "The message is the body."
  }

  assert {
    condition = toset(flatten(data.aws_iam_policy_document.send.statement[*].resources)) == toset([
      var.queue.arn, var.queue.dead_letters_arn,
    ])
    error_message = "The role sends to the queue and its dead-letter queue."
  }

  assert {
    condition     = aws_scheduler_schedule.pull["weather"].flexible_time_window[0].mode == "OFF"
    error_message = "Without flexible_min, a schedule keeps its time."
  }
}

run "an_expression_has_a_form" {
  command = plan

  variables {
    schedules = { weather = { expression = "every hour", message = {} } }
  }

  expect_failures = [var.schedules]
}
