# Metrics cannot say "not finished by the second": a check at the deadline reads the ledger and fails if the run has not
# succeeded; its failure is the alarm.
module "deadline" {
  source = "../state-machine"

  name            = "${var.prefix}-bua-deadline"
  role_name       = "${var.prefix}-role-bua-machine-deadline"
  step            = "deadline"
  template_files  = ["${path.module}/deadline.asl.json"] # JSON is YAML; it shares no block with the month's machines
  values          = { control_table = var.control_table_name }
  kms_key_arn     = var.kms_key_arn
  account_id      = var.account_id
  region          = var.region
  alarm_topic_arn = var.alarm_topic_arn

  statements = [
    {
      sid       = "ReadLedger"
      actions   = ["dynamodb:GetItem"]
      resources = [var.control_table_arn]
    },
    {
      sid       = "DecryptLedger"
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key_arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["dynamodb.${var.region}.amazonaws.com"] },
      ]
    },
  ]
}

module "schedule" {
  source = "../schedule"

  name            = "${var.prefix}-bua-deadline"
  description     = "Checks that the month's run has finished"
  role_name       = "${var.prefix}-role-bua-deadline-scheduler"
  machine_arn     = module.deadline.arn
  schedule        = var.deadline
  time_zone       = var.time_zone
  enable_schedule = var.enable_deadline
  account_id      = var.account_id

  missed_queue_arn = aws_sqs_queue.missed.arn
  kms_key_arn      = var.kms_key_arn
}

# A check that could not be started ends here, and rings: otherwise a month that is late would be silent.
resource "aws_sqs_queue" "missed" {
  name                      = "${var.prefix}-sqs-bua-deadline-dlq"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.kms_key_arn
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
  alarm_description   = "The check of the deadline could not be started: see whether the month's run has finished, then purge the queue."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.missed.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
