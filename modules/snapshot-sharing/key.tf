# Production's own key is never shared: snapshots are re-encrypted under this one, which one role of the accrual's account
# may use through RDS, to copy a snapshot under a key of its own, and another through S3, to import the interval reads.
resource "aws_kms_key" "shared" {
  description             = "Snapshots of ${var.production_instance} and exports that account ${var.accrual_account_id} may copy"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "shared" {
  name          = "alias/${var.prefix}-kms-bua-snapshot"
  target_key_id = aws_kms_key.shared.key_id
}

data "aws_iam_policy_document" "key" {
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

  statement {
    sid       = "AccrualCopiesSnapshots"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["rds.${var.region}.amazonaws.com"]
    }

    # RDS calls KMS with the caller's identity. A snapshot can be shared with an account only, so the key is what binds it to the
    # one role that copies it. A condition, since IAM refuses a principal that does not exist yet.
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.copier_role_arn]
    }
  }

  statement {
    sid       = "AccrualLetsRdsUseIt"
    actions   = ["kms:CreateGrant"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["rds.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.copier_role_arn]
    }

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }

  statement {
    sid       = "AccrualReadsExports"
    actions   = ["kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.importer_role_arn]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:aws:logs:${var.region}:${var.account_id}:log-group:/aws/vendedlogs/states/${var.prefix}-snapshot"]
    }
  }

  statement {
    sid       = "AlarmsAndScheduler"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}
