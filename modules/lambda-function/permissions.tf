resource "aws_iam_role" "this" {
  name               = var.role_name
  description        = "Execution role of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

# Trusts only the service. A condition on the function's ARN would create a cycle between role and function.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "function"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.this.json

  # IAM counts the characters of a role's inline policies, without white space. The apply would fail half way.
  lifecycle {
    precondition {
      condition     = length(jsonencode(jsondecode(data.aws_iam_policy_document.this.json))) <= 10240
      error_message = "The policy of ${var.name} has more than the 10,240 characters that IAM allows: give the function fewer grants."
    }
  }
}

data "aws_iam_policy_document" "this" {
  # checkov:skip=CKV_AWS_111: X-Ray and network interfaces have no resources to name, see the comments at the statements
  # checkov:skip=CKV_AWS_356: as above; other statements on "*" are refused by the variable's validation without a reason
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    # X-Ray's write actions do not support resources.
    sid       = "Trace"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [true]

    content {
      # Lambda checks exactly these for its network interfaces, before an interface exists that could be named.
      sid = "NetworkInterfaces"
      actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.network == null ? [] : [true]

    content {
      # The statement above is for the service. The function's own code has the same credentials but must not use it.
      sid    = "NetworkInterfacesNotFromCode"
      effect = "Deny"
      actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]

      condition {
        test     = "ArnLike"
        variable = "lambda:SourceFunctionArn"
        values   = ["arn:aws:lambda:${var.region}:*:function:${var.name}"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.event_source == null ? [] : [var.event_source.queue_arn]

    content {
      sid       = "OwnQueue"
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.dead_letter_queue_arn == null ? [] : [var.dead_letter_queue_arn]

    content {
      sid       = "OwnDeadLetters"
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = length(var.key_services) == 0 ? [] : [true]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in var.key_services : "${service}.${var.region}.amazonaws.com"]
      }
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
