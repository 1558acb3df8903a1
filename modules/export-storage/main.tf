locals {
  buckets = merge(
    { accrual = var.bucket_name },
    var.enable_integration_bucket ? { integration = var.integration_bucket_name } : {},
  )
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18: the account's CloudTrail records data events; access logs would need a bucket that has to be protected in the same way
  # checkov:skip=CKV_AWS_144: an export can be repeated from the month's snapshot; a second region would store customer data twice
  # checkov:skip=CKV2_AWS_62: nothing subscribes to new objects: the run's steps wait until their files are complete
  # checkov:skip=CKV2_AWS_61: both have one below; checkov cannot follow the keys of for_each
  for_each = local.buckets

  bucket        = each.value
  force_destroy = var.enable_force_destroy

  # No rule for the whole bucket: the export step retains what finance may book, file by file, and nothing else.
  object_lock_enabled = each.key == "accrual"
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = data.aws_iam_policy_document.this[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "this" {
  for_each = aws_s3_bucket.this

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

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

  # A temporary environment is destroyed with its contents.
  dynamic "statement" {
    for_each = var.enable_force_destroy ? [] : [each.value.arn]

    content {
      sid       = "WhatIsBookedStays"
      effect    = "Deny"
      actions   = ["s3:BypassGovernanceRetention"]
      resources = ["${statement.value}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "accrual" {
  bucket = aws_s3_bucket.this["accrual"].id

  rule {
    id     = "booked-exports"
    status = "Enabled"

    filter {
      prefix = "export/booked/"
    }

    transition {
      days          = 90
      storage_class = "STANDARD_IA"
    }

    expiration {
      days = var.export_retention_days
    }
  }

  rule {
    id     = "working-files"
    status = "Enabled"

    filter {
      prefix = "export/csv/"
    }

    expiration {
      days = var.working_file_retention_days
    }
  }

  rule {
    id     = "generated-meter-data"
    status = "Enabled"

    filter {
      prefix = "nem12/"
    }

    expiration {
      days = var.meter_data_retention_days
    }
  }

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "integration" {
  count = var.enable_integration_bucket ? 1 : 0

  bucket = aws_s3_bucket.this["integration"].id

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
