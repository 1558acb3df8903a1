resource "aws_kms_key" "this" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days
  policy                  = data.aws_iam_policy_document.this.json
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.alias}"
  target_key_id = aws_kms_key.this.key_id
}

data "aws_iam_policy_document" "this" {
  # checkov:skip=CKV_AWS_109: the account's own IAM policies decide; without this statement no one could manage the key
  # checkov:skip=CKV_AWS_111: as above; the resource of a key policy is the key itself
  # checkov:skip=CKV_AWS_356: in a key policy "*" means this key
  statement {
    sid       = "OwnAccount"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${var.account_id}:root"]
    }
  }

  dynamic "statement" {
    for_each = length(var.log_group_prefixes) > 0 ? [true] : []

    content {
      sid       = "LogGroups"
      actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["logs.${var.region}.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = [for prefix in var.log_group_prefixes : "arn:aws:logs:${var.region}:${var.account_id}:log-group:${prefix}*"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.service_sources

    content {
      sid       = "Service${replace(title(replace(statement.key, ".", " ")), " ", "")}"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = [statement.key]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = statement.value
      }
    }
  }
}
