resource "aws_scheduler_schedule" "this" {
  # checkov:skip=CKV_AWS_297: the input is only a time of day; a key that Scheduler may use can be given
  name                         = var.name
  description                  = var.description
  state                        = var.enable_schedule ? "ENABLED" : "DISABLED"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.time_zone
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.machine_arn
    role_arn = aws_iam_role.this.arn
    # Not jsonencode: it writes < and > as \u003c and \u003e, and Scheduler would not recognise its keyword.
    input = "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"

    dynamic "dead_letter_config" {
      for_each = var.missed_queue_arn == null ? [] : [true]

      content {
        arn = var.missed_queue_arn
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = var.retry.seconds
      maximum_retry_attempts       = var.retry.attempts
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_iam_role" "this" {
  name               = var.role_name
  description        = "Role of schedule ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Against the confused deputy: Scheduler may assume the role only for this account's schedules.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "start"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Start"
    actions   = ["states:StartExecution"]
    resources = [var.machine_arn]
  }

  dynamic "statement" {
    for_each = var.missed_queue_arn == null ? [] : [true]

    content {
      sid       = "Missed"
      actions   = ["sqs:SendMessage"]
      resources = [var.missed_queue_arn]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [true]

    content {
      # The schedule's input and the missed starts' queue are encrypted.
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
  }
}
