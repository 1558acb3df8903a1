# The interval reads as of the snapshot's moment: production's table is exported here, and one role of the accrual's account
# imports it into a table of its own. Encrypted under the shared key, deleted when it is too old to be run again.
resource "aws_s3_bucket" "interval_export" {
  # checkov:skip=CKV_AWS_18: the account's CloudTrail records data events; access logs would need a bucket that has to be protected in the same way
  # checkov:skip=CKV_AWS_144: an export can be repeated within the recovery window of its table
  # checkov:skip=CKV_AWS_21: every export has a folder of its own, and none is ever replaced
  # checkov:skip=CKV2_AWS_62: nothing subscribes to new objects: the accrual waits until an export is complete
  bucket        = "${var.prefix}-s3-bua-interval-export"
  force_destroy = true # copies, which lifecycle deletes anyway
}

resource "aws_s3_bucket_public_access_block" "interval_export" {
  bucket                  = aws_s3_bucket.interval_export.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "interval_export" {
  bucket = aws_s3_bucket.interval_export.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "interval_export" {
  bucket = aws_s3_bucket.interval_export.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.shared.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "interval_export" {
  bucket = aws_s3_bucket.interval_export.id

  rule {
    id     = "old-exports"
    status = "Enabled"

    filter {}

    expiration {
      days = var.interval_export_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "interval_export" {
  bucket = aws_s3_bucket.interval_export.id
  policy = data.aws_iam_policy_document.interval_export_bucket.json

  depends_on = [aws_s3_bucket_public_access_block.interval_export]
}

data "aws_iam_policy_document" "interval_export_bucket" {
  statement {
    sid       = "AccrualImports"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.interval_export.arn, "${aws_s3_bucket.interval_export.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    # DynamoDB reads with the importer's identity. A condition, since IAM refuses a principal that does not exist yet.
    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.importer_role_arn]
    }
  }

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.interval_export.arn, "${aws_s3_bucket.interval_export.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# Through this role the accrual sees how far an export is, and why it failed.
resource "aws_iam_role" "interval_export" {
  name               = "${var.prefix}-role-bua-interval-export"
  description        = "The accrual's functions in account ${var.accrual_account_id} look at exports of the interval store"
  assume_role_policy = data.aws_iam_policy_document.interval_export_trust.json
}

data "aws_iam_policy_document" "interval_export_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [var.importer_role_arn]
    }
  }
}

resource "aws_iam_role_policy" "interval_export" {
  name   = "look"
  role   = aws_iam_role.interval_export.name
  policy = data.aws_iam_policy_document.interval_export.json
}

data "aws_iam_policy_document" "interval_export" {
  statement {
    sid       = "LookAtExports"
    actions   = ["dynamodb:DescribeExport"]
    resources = ["${local.interval_table_arn}/export/*"]
  }
}
