resource "aws_iam_role" "this" {
  name               = var.role_name
  description        = "Role of state machine ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    # Against the confused deputy: Step Functions may assume the role only for this account's machines.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "machine"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.this.json
}

data "aws_iam_policy_document" "this" {
  # checkov:skip=CKV_AWS_111: log delivery and X-Ray have no resources to name, see the comments at the statements
  # checkov:skip=CKV_AWS_356: as above; other statements on "*" are refused by the variable's validation without a reason
  statement {
    # CloudWatch's log delivery API does not support resources.
    sid = "DeliverLog"
    actions = [
      "logs:CreateLogDelivery",
      "logs:GetLogDelivery",
      "logs:UpdateLogDelivery",
      "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries",
      "logs:PutResourcePolicy",
      "logs:DescribeResourcePolicies",
      "logs:DescribeLogGroups",
    ]
    resources = ["*"]
  }

  statement {
    # X-Ray's actions do not support resources.
    sid       = "Trace"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = length(var.calls.functions) == 0 ? [] : [true]

    content {
      sid       = "Functions"
      actions   = ["lambda:InvokeFunction"]
      resources = values(var.calls.functions)
    }
  }

  dynamic "statement" {
    for_each = length(var.calls.queues) == 0 ? [] : [true]

    content {
      sid       = "Queues"
      actions   = ["sqs:SendMessage"]
      resources = [for queue in var.calls.queues : queue.arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.calls.queues) == 0 ? [] : [true]

    content {
      sid       = "QueuesKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${var.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.calls.machines) == 0 ? [] : [true]

    content {
      sid       = "Machines"
      actions   = ["states:StartExecution"]
      resources = values(var.calls.machines)
    }
  }

  dynamic "statement" {
    for_each = length(var.calls.machines) == 0 ? [] : [true]

    content {
      # Step Functions calls StopExecution when the parent is stopped while a child runs.
      sid       = "MachinesExecutions"
      actions   = ["states:DescribeExecution", "states:StopExecution"]
      resources = [for arn in values(var.calls.machines) : "${replace(arn, ":stateMachine:", ":execution:")}:*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.calls.machines) == 0 ? [] : [true]

    content {
      # startExecution.sync learns of a child's end through this rule, which Step Functions manages.
      sid       = "MachinesEvents"
      actions   = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
      resources = ["arn:aws:events:${var.region}:${var.account_id}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"]
    }
  }

  dynamic "statement" {
    for_each = var.statements

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}
