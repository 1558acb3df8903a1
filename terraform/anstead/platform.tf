# Policies for the platform's pods, for what they need of the accrual's resources. The roles belong to the platform.
locals {
  platform_statements = {
    workflow = [
      { sid = "ReadIntervals", actions = ["dynamodb:Query"], resources = ["arn:aws:dynamodb:${var.region}:${var.account_id}:table/${local.interval_table}"] },
    ]
    meterdata = [
      { sid = "ReadMeterData", actions = ["s3:GetObject"], resources = ["${local.bucket_arn}/nem12/*"] },
      {
        sid       = "LoadIntervals"
        actions   = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
        resources = ["arn:aws:dynamodb:${var.region}:${var.account_id}:table/${local.interval_table}"]
      },
    ]
  }
}

data "aws_iam_policy_document" "platform" {
  for_each = local.platform_statements

  statement {
    sid       = "DatabasePassword"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [module.database_restore.secret_arns[each.key], module.database_restore.authority_secret_arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.encryption_key.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["secretsmanager", "dynamodb", "s3"] : "${service}.${var.region}.amazonaws.com"]
    }
  }

  dynamic "statement" {
    for_each = each.value

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_policy" "platform" {
  for_each = local.platform_statements

  name        = "${local.prefix}-policy-bua-${each.key}"
  description = "Permissions that a run needs for the platform's ${each.key} pods"
  policy      = data.aws_iam_policy_document.platform[each.key].json
}

resource "aws_iam_role_policy_attachment" "platform" {
  for_each = var.platform_role_names

  role       = each.value
  policy_arn = aws_iam_policy.platform[each.key].arn
}
