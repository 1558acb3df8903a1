resource "aws_scheduler_schedule" "month_end" {
  name                         = "${var.prefix}-bua-snapshot"
  description                  = "Midnight of the first: the snapshot that the month's accrual works on"
  state                        = var.enable_schedule ? "ENABLED" : "DISABLED"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.time_zone
  kms_key_arn                  = aws_kms_key.shared.arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.machine.arn
    role_arn = aws_iam_role.scheduler.arn
    # Not jsonencode: it writes < and > as \u003c and \u003e, in which Scheduler does not find its keyword.
    input = "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"

    dead_letter_config {
      arn = aws_sqs_queue.missed.arn
    }

    # The state machine takes its run date from the scheduled time, so a late start is as good as one in time.
    retry_policy {
      maximum_event_age_in_seconds = 21600
      maximum_retry_attempts       = 100
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

# A start that did not succeed for six hours ends here, and rings.
resource "aws_sqs_queue" "missed" {
  name                      = "${var.prefix}-sqs-bua-snapshot-dlq"
  message_retention_seconds = 1209600
  kms_master_key_id         = aws_kms_key.shared.arn
}

resource "aws_sqs_queue_policy" "missed" {
  queue_url = aws_sqs_queue.missed.url
  policy    = data.aws_iam_policy_document.missed.json
}

data "aws_iam_policy_document" "missed" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.missed.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "missed" {
  alarm_name          = "${aws_sqs_queue.missed.name}-not-empty"
  alarm_description   = "The month's snapshot could not be started: start ${var.prefix}-snapshot by hand with {\"run_date\": \"YYYY-MM-01\"}."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.missed.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [module.alarm_topic.arn]
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.prefix}-role-bua-scheduler"
  description        = "Starts ${var.prefix}-snapshot on the first of the month"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "start"
  role   = aws_iam_role.scheduler.name
  policy = data.aws_iam_policy_document.scheduler.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "Start"
    actions   = ["states:StartExecution"]
    resources = [module.machine.arn]
  }

  statement {
    sid       = "Missed"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.missed.arn]
  }

  statement {
    # The schedule's input and the missed starts' queue are encrypted.
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.shared.arn]
  }
}
