locals {
  # The same rendering as src/artifacts/machines.py's. The texts are read as one document, so that later ones use what earlier ones
  # name; JSON writes < and & as \u003c and \u0026, which Step Functions reads as what they are.
  document = yamldecode(join("\n", [for path in var.template_files : file(path)]))
  template = jsonencode({ for key, value in local.document : key => value if key != "blocks" })
  used     = toset(flatten(regexall("\\$\\{([^}]*)\\}", local.template)))

  # A hyphen is no character of a placeholder.
  given = merge(
    { for key, arn in var.calls.functions : "function_${replace(key, "-", "_")}" => arn },
    { for key, queue in var.calls.queues : "queue_${replace(key, "-", "_")}" => queue.url },
    { for key, arn in var.calls.machines : "machine_${replace(key, "-", "_")}" => arn },
    var.values,
  )
  placeholders = merge({ step = var.step }, local.given)
}

resource "aws_sfn_state_machine" "this" {
  # Encrypted under Step Functions' own key: what it holds are run dates, counts, and task tokens that expire with their
  # execution. Under ours, whoever answers a token would need the key.
  # checkov:skip=CKV_AWS_285: everything is logged but the data, which carries task tokens; the console shows it for 90 days
  name       = var.name
  role_arn   = aws_iam_role.this.arn
  definition = templatestring(local.template, local.placeholders)

  logging_configuration {
    level                  = "ALL"
    include_execution_data = false # inputs carry task tokens
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract(local.used, keys(local.placeholders))) == 0
      error_message = "${var.name} uses placeholders that it is given no value for, so what it calls is declared wrongly in the catalogue: ${join(", ", setsubtract(local.used, keys(local.placeholders)))}."
    }

    precondition {
      condition     = length(setsubtract(keys(local.given), local.used)) == 0
      error_message = "${var.name} does not use every placeholder that it is given, so what it calls is declared wrongly in the catalogue: ${join(", ", setsubtract(keys(local.given), local.used))}."
    }
  }

  # IAM first: Step Functions tries the log destination with the role when the machine is created.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  # This prefix keeps the log's resource policy from growing by an entry for each machine, which ends at 5,120 characters:
  # https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  for_each = toset(["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"])

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "State machine ${var.name}: ${each.key}. The execution's last event has the cause, docs/runbook.md says how to go on."
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
