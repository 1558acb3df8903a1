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

resource "aws_scheduler_schedule" "deadline" {
  # checkov:skip=CKV_AWS_297: the input is the time of day; nothing in this schedule is worth a key
  name                         = "${var.prefix}-bua-deadline"
  description                  = "Checks that the month's run has finished"
  state                        = var.enable_deadline ? "ENABLED" : "DISABLED"
  schedule_expression          = var.deadline
  schedule_expression_timezone = var.time_zone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.deadline.arn
    role_arn = aws_iam_role.scheduler.arn
    # Not jsonencode: it writes < and > as \u003c and \u003e, in which Scheduler does not find its keyword.
    input = "{\"scheduled_time\":\"<aws.scheduler.scheduled-time>\"}"
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

resource "aws_iam_role" "scheduler" {
  name               = "${var.prefix}-role-bua-deadline-scheduler"
  description        = "Starts ${var.prefix}-bua-deadline"
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
    resources = [module.deadline.arn]
  }
}
