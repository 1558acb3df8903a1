resource "aws_sfn_state_machine" "this" {
  # Encrypted under Step Functions' own key: the data are run dates, counts, and task tokens that expire with their
  # execution. Under our key, every function that answers a token would need the key.
  # checkov:skip=CKV_AWS_285: everything is logged except the data, which contains task tokens; the console shows it for 90 days
  name       = var.name
  role_arn   = aws_iam_role.this.arn
  definition = templatestring(local.template, local.placeholders)

  logging_configuration {
    level                  = "ALL"
    include_execution_data = false # inputs contain task tokens
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  lifecycle {
    # Before the definition is evaluated, so these are the errors that are seen.
    precondition {
      condition     = length(local.unknown) == 0
      error_message = "${var.name}: the definition uses ${join(", ", local.unknown)}, which the machine does not call by the catalogue."
    }

    precondition {
      condition     = length(local.unused) == 0
      error_message = "${var.name}: the definition does not use ${join(", ", local.unused)}, which the machine calls by the catalogue."
    }
  }

  # IAM first: Step Functions tests the log destination with the role when it creates the machine.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  # Without this prefix the resource policy of the logs gets an entry per machine and reaches its limit of 5,120 characters:
  # https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  for_each = toset(["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "State machine ${var.name}: ${each.key}. The execution's last event has the cause; docs/runbook.md explains how to continue."
  namespace           = "AWS/States"
  metric_name         = each.key
  dimensions          = { StateMachineArn = aws_sfn_state_machine.this.arn }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
