module "schedule" {
  source = "../schedule"

  name             = "${var.prefix}-bua-snapshot"
  description      = "Midnight of the first: the snapshot that the month's accrual works on"
  role_name        = "${var.prefix}-role-bua-scheduler"
  machine_arn      = module.machine.arn
  schedule         = var.schedule
  time_zone        = var.time_zone
  enable_schedule  = var.enable_schedule
  missed_queue_arn = aws_sqs_queue.missed.arn
  kms_key_arn      = aws_kms_key.shared.arn
  account_id       = var.account_id
  # The state machine takes its run date from the scheduled time, so a late start is as good as one in time.
  retry = { seconds = 21600, attempts = 100 }
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
