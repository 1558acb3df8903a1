mock_provider "aws" {
  source = "../testing"
}

variables {
  prefix             = "tst-anstead"
  account_id         = "222222222222"
  region             = "ap-southeast-2"
  kms_key_arn        = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
  alarm_topic_arn    = "arn:aws:sns:ap-southeast-2:222222222222:alarms"
  state_machines     = [{ step = "bua", arn = "arn:bua" }, { step = "restore", arn = "arn:restore" }]
  function_names     = ["tst-anstead-lambda-bua-next"]
  queue_names        = ["tst-anstead-sqs-bua-next"]
  node_group_asg     = "eks-tst-anstead-bua-1"
  control_table_name = "tst-anstead-ddb-bua"
  control_table_arn  = "arn:aws:dynamodb:ap-southeast-2:222222222222:table/tst-anstead-ddb-bua"
}

run "shows_a_run_on_one_page" {
  assert {
    condition = length(setsubtract(
      ["Steps begun", "Steps done", "Steps failed", "Messages waiting", "Age of the oldest message (s)", "Dead letters", "Errors of functions", "Database: connections"],
      [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title],
    )) == 0
    error_message = "Progress, queues, dead letters, errors and the database."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.metrics[1][3] == "arn:restore"
    error_message = "Steps are in the pipeline's order."
  }

  assert {
    condition     = strcontains(one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics[0][0].expression if w.properties.title == "Database: connections"]), " DBInstanceIdentifier=bua'")
    error_message = "The month's database is found by a word of its name; quotation marks would want the whole name."
  }
}

run "nodes_that_were_left_ring_after_a_day" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.nodes_left.dimensions == tomap({ AutoScalingGroupName = "eks-tst-anstead-bua-1" }) && aws_cloudwatch_metric_alarm.nodes_left.period * aws_cloudwatch_metric_alarm.nodes_left.evaluation_periods == 86400
    error_message = "The accrual's own nodes, by their group."
  }

  assert {
    condition = aws_cloudwatch_metric_alarm.nodes_left.alarm_name == "tst-anstead-bua-nodes-left" && [
      aws_cloudwatch_metric_alarm.nodes_left.namespace, aws_cloudwatch_metric_alarm.nodes_left.metric_name, aws_cloudwatch_metric_alarm.nodes_left.statistic,
      aws_cloudwatch_metric_alarm.nodes_left.comparison_operator,
    ] == ["AWS/EC2", "CPUUtilization", "SampleCount", "GreaterThanThreshold"] && aws_cloudwatch_metric_alarm.nodes_left.threshold == 0
    error_message = "Whether there are samples at all, in each of 24 hours: a group without nodes has none."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.nodes_left.alarm_actions == toset(["arn:aws:sns:ap-southeast-2:222222222222:alarms"])
    error_message = "It reaches the topic."
  }
}

run "a_run_that_is_late_rings" {
  assert {
    condition     = module.schedule.schedule.target[0].dead_letter_config[0].arn == aws_sqs_queue.missed.arn && aws_cloudwatch_metric_alarm.missed.alarm_name == "tst-anstead-sqs-bua-deadline-dlq-not-empty"
    error_message = "A check that could not be started is kept, and rings."
  }

  assert {
    condition     = module.schedule.schedule.schedule_expression == "cron(0 12 2 * ? *)" && module.schedule.schedule.schedule_expression_timezone == "Australia/Sydney" && module.schedule.schedule.state == "ENABLED"
    error_message = "Noon of the second by default."
  }

  assert {
    condition     = module.schedule.schedule.name == "tst-anstead-bua-deadline" && module.schedule.role_name == "tst-anstead-role-bua-deadline-scheduler"
    error_message = "Names by which it is found."
  }
}

run "refuses_a_deadline_on_the_first" {
  command = plan

  variables {
    deadline = "cron(0 12 1 * ? *)"
  }

  expect_failures = [var.deadline]
}
