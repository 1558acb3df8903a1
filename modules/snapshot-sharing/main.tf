locals {
  topic_name       = "${var.prefix}-sns-bua-snapshot"
  accrual_root_arn = "arn:aws:iam::${var.accrual_account_id}:root"
  # By run date: the machine must not touch other snapshots of production.
  snapshot_arn  = "arn:aws:rds:${var.region}:${var.account_id}:snapshot:${var.production_instance}-bua-????-??-??"
  shared_arn    = "${local.snapshot_arn}-shared"
  snapshot_arns = [local.snapshot_arn, local.shared_arn]
  instance_arn  = "arn:aws:rds:${var.region}:${var.account_id}:db:${var.production_instance}"

  interval_table_arn = "arn:aws:dynamodb:${var.region}:${var.account_id}:table/${var.interval_table_name}"

  values = {
    production_instance    = var.production_instance
    shared_key_arn         = aws_kms_key.shared.arn
    accrual_account_id     = var.accrual_account_id
    snapshot_topic_arn     = aws_sns_topic.snapshot.arn
    snapshots_kept         = tostring(var.snapshots_kept)
    interval_table_arn     = local.interval_table_arn
    interval_export_bucket = aws_s3_bucket.interval_export.id
  }
}

module "machine" {
  source = "../state-machine"

  name               = "${var.prefix}-snapshot"
  role_name          = "${var.prefix}-role-bua-machine-snapshot"
  step               = "snapshot"
  template_files     = var.template_files
  values             = { for name in var.placeholders : name => local.values[name] }
  kms_key_arn        = aws_kms_key.shared.arn
  account_id         = var.account_id
  region             = var.region
  log_retention_days = var.log_retention_days
  alarm_topic_arn    = module.alarm_topic.arn

  statements = concat(var.interval_table_key_arn == null ? [] : [
    {
      sid       = "ReadEncryptedIntervals"
      actions   = ["kms:Decrypt", "kms:DescribeKey"]
      resources = [var.interval_table_key_arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["dynamodb.${var.region}.amazonaws.com"] },
      ]
    },
    ], [
    {
      sid       = "ExportIntervals"
      actions   = ["dynamodb:ExportTableToPointInTime"]
      resources = [local.interval_table_arn]
    },
    {
      # DynamoDB writes with the machine's identity. Buckets with the owner enforced know no ACLs, and DynamoDB asks all the same.
      sid       = "WriteExports"
      actions   = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]
      resources = ["${aws_s3_bucket.interval_export.arn}/*"]
    },
    {
      sid       = "EncryptExports"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [aws_kms_key.shared.arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["s3.${var.region}.amazonaws.com"] },
      ]
    },
    {
      sid       = "TakeSnapshot"
      actions   = ["rds:CreateDBSnapshot"]
      resources = [local.instance_arn, local.snapshot_arn]
    },
    {
      # Needed if production copies its tags to its snapshots.
      sid       = "TagSnapshot"
      actions   = ["rds:AddTagsToResource"]
      resources = local.snapshot_arns
    },
    {
      # Listing snapshots does not support resources, and changes nothing.
      sid       = "LookAtSnapshots"
      actions   = ["rds:DescribeDBSnapshots"]
      resources = [local.instance_arn, "arn:aws:rds:${var.region}:${var.account_id}:snapshot:*"]
    },
    {
      sid       = "ReEncryptSnapshot"
      actions   = ["rds:CopyDBSnapshot"]
      resources = local.snapshot_arns
    },
    {
      sid       = "ForgetOldSnapshots"
      actions   = ["rds:DeleteDBSnapshot"]
      resources = local.snapshot_arns
    },
    {
      # Only the copy under the shared key: the first snapshot, under production's key, is never shared.
      sid       = "ShareSnapshot"
      actions   = ["rds:ModifyDBSnapshotAttribute"]
      resources = [local.shared_arn]
    },
    {
      sid       = "UseKeysInRds"
      actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      resources = [var.production_key_arn, aws_kms_key.shared.arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["rds.${var.region}.amazonaws.com"] },
      ]
    },
    {
      sid       = "LetRdsUseKeys"
      actions   = ["kms:CreateGrant"]
      resources = [var.production_key_arn, aws_kms_key.shared.arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["rds.${var.region}.amazonaws.com"] },
        { test = "Bool", variable = "kms:GrantIsForAWSResource", values = ["true"] },
      ]
    },
    {
      sid       = "Announce"
      actions   = ["sns:Publish"]
      resources = [aws_sns_topic.snapshot.arn]
    },
    {
      sid       = "EncryptAnnouncement"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [aws_kms_key.shared.arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["sns.${var.region}.amazonaws.com"] },
      ]
    },
  ])
}
