# Through this role the accrual reads production's interval store, where it is not exported. It can do nothing else.
resource "aws_iam_role" "interval_read" {
  name               = "${var.prefix}-role-bua-interval-read"
  description        = "Read-only: the accrual's functions in account ${var.accrual_account_id} query interval reads"
  assume_role_policy = data.aws_iam_policy_document.interval_read_trust.json
}

data "aws_iam_policy_document" "interval_read_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    # Trusts the account, with a condition on its roles, instead of the roles themselves: IAM refuses a principal that does
    # not exist yet, and replaces a deleted one with an id that no one can read.
    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = var.reader_role_arns
    }
  }
}

resource "aws_iam_role_policy" "interval_read" {
  name   = "query"
  role   = aws_iam_role.interval_read.name
  policy = data.aws_iam_policy_document.interval_read.json
}

data "aws_iam_policy_document" "interval_read" {
  statement {
    sid       = "Query"
    actions   = ["dynamodb:Query"]
    resources = [local.interval_table_arn]
  }

  dynamic "statement" {
    for_each = var.interval_table_key_arn == null ? [] : [var.interval_table_key_arn]

    content {
      sid       = "Decrypt"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${var.region}.amazonaws.com"]
      }
    }
  }
}
