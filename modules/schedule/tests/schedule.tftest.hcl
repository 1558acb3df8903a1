mock_provider "aws" {
  source = "../testing"
}

variables {
  name        = "tst-anstead-bua-deadline"
  description = "Checks that the month's run has finished"
  role_name   = "tst-anstead-role-bua-deadline-scheduler"
  machine_arn = "arn:aws:states:ap-southeast-2:222222222222:stateMachine:tst-anstead-bua-deadline"
  schedule    = "cron(0 12 2 * ? *)"
  time_zone   = "Australia/Sydney"
  account_id  = "222222222222"
}

run "starts_the_machine_and_may_do_nothing_else" {
  assert {
    condition     = aws_scheduler_schedule.this.schedule_expression == "cron(0 12 2 * ? *)" && aws_scheduler_schedule.this.schedule_expression_timezone == "Australia/Sydney" && aws_scheduler_schedule.this.state == "ENABLED"
    error_message = "On local time."
  }

  assert {
    condition     = aws_scheduler_schedule.this.target[0].input == "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"
    error_message = "Scheduler finds its keyword only if nothing in it is escaped."
  }

  assert {
    condition     = { for s in data.aws_iam_policy_document.this.statement : s.sid => s.resources } == { Start = toset([var.machine_arn]) }
    error_message = "No queue and no key: it starts the machine."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.trust.statement[0].condition).values == tolist(["222222222222"])
    error_message = "Scheduler takes the role for this account's schedules only."
  }
}

run "keeps_missed_starts" {
  variables {
    missed_queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:missed"
    kms_key_arn      = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
    retry            = { seconds = 21600, attempts = 100 }
  }

  assert {
    condition     = aws_scheduler_schedule.this.target[0].dead_letter_config[0].arn == var.missed_queue_arn && aws_scheduler_schedule.this.kms_key_arn == var.kms_key_arn
    error_message = "On the queue, and encrypted."
  }

  assert {
    condition     = aws_scheduler_schedule.this.target[0].retry_policy[0].maximum_event_age_in_seconds == 21600 && aws_scheduler_schedule.this.target[0].retry_policy[0].maximum_retry_attempts == 100
    error_message = "After six hours."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.this.statement : s.sid => s.resources } == {
      Start = toset([var.machine_arn]), Missed = toset([var.missed_queue_arn]), Key = toset([var.kms_key_arn])
    }
    error_message = "It may send to the queue and use the key."
  }
}

run "can_be_switched_off" {
  variables {
    enable_schedule = false
  }

  assert {
    condition     = aws_scheduler_schedule.this.state == "DISABLED"
    error_message = "The schedule stays and does not fire."
  }
}

run "refuses_a_time_zone_that_is_an_offset" {
  command = plan

  variables {
    time_zone = "+10:00"
  }

  expect_failures = [var.time_zone]
}
