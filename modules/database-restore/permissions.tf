locals {
  rds = "arn:aws:rds:${var.region}:${var.account_id}"

  instance_arn = "${local.rds}:db:${local.stack_name}"
  copy_arn     = "${local.rds}:snapshot:${local.copy_name}"
  group_arns   = ["${local.rds}:pg:${aws_db_parameter_group.this.name}", "${local.rds}:og:default:postgres-${var.major_version}"]
  stack_arn    = "arn:aws:cloudformation:${var.region}:${var.account_id}:stack/${local.stack_name}/*"

  from_cloudformation = [{
    test     = "ForAnyValue:StringEquals"
    variable = "aws:CalledVia"
    values   = ["cloudformation.amazonaws.com"]
  }]

  via_rds = { test = "StringEquals", variable = "kms:ViaService", values = ["rds.${var.region}.amazonaws.com"] }

  restore_statements = [
    {
      sid       = "WritePasswords"
      actions   = ["secretsmanager:PutSecretValue"]
      resources = [for secret in aws_secretsmanager_secret.password : secret.arn]
    },
    {
      sid     = "CopySnapshot"
      actions = ["rds:CopyDBSnapshot"]
      resources = [
        "arn:aws:rds:${var.region}:${var.source_account_id}:snapshot:${var.source_instance_name}-bua-????-??-??-shared",
        local.copy_arn,
      ]
    },
    {
      sid       = "OwnCopy"
      actions   = ["rds:DescribeDBSnapshots", "rds:DeleteDBSnapshot"]
      resources = [local.copy_arn]
    },
    {
      # Reading the shared snapshot needs both the key's policy in the source account and this statement.
      sid        = "ReadSharedKey"
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"]
      resources  = [var.source_key_arn]
      conditions = [local.via_rds]
    },
    {
      sid        = "EncryptCopyAndInstance"
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptTo"] # also Performance Insights
      resources  = [var.kms_key_arn]
      conditions = [local.via_rds]
    },
    {
      # RDS uses both keys after the call has ended, through grants that are only for itself.
      sid       = "LetRdsUseKeys"
      actions   = ["kms:CreateGrant"]
      resources = [var.source_key_arn, var.kms_key_arn]
      conditions = [
        local.via_rds,
        { test = "Bool", variable = "kms:GrantIsForAWSResource", values = ["true"] },
      ]
    },
    {
      sid       = "ReadTemplate"
      actions   = ["s3:GetObject"]
      resources = ["arn:aws:s3:::${var.template_bucket}/${local.template_key}"]
    },
    {
      # DescribeStackEvents is called only when a stack has failed, to read the reason.
      sid = "Stack"
      actions = [
        "cloudformation:CreateStack",
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DeleteStack",
        "cloudformation:TagResource",
      ]
      resources = [local.stack_arn]
    },
    {
      # CloudFormation creates the instance with the caller's permissions. They apply only through CloudFormation.
      sid        = "InstanceOfStack"
      actions    = ["rds:RestoreDBInstanceFromDBSnapshot"]
      resources  = concat([local.instance_arn, local.copy_arn, "${local.rds}:subgrp:${aws_db_subnet_group.this.name}"], local.group_arns)
      conditions = local.from_cloudformation
    },
    {
      # A restored instance starts with the default parameter group. The stack assigns its own and reboots it.
      sid        = "SettingsOfStacksInstance"
      actions    = ["rds:ModifyDBInstance"]
      resources  = concat([local.instance_arn], local.group_arns)
      conditions = local.from_cloudformation
    },
    {
      sid = "LifeOfStacksInstance"
      actions = [
        "rds:AddTagsToResource",
        "rds:ListTagsForResource",
        "rds:DescribeDBInstances",
        "rds:RebootDBInstance",
        "rds:DeleteDBInstance",
      ]
      resources  = [local.instance_arn]
      conditions = local.from_cloudformation
    },
    {
      sid        = "EventsOfStack"
      reason     = "CloudFormation looks among RDS's events for why an instance failed; IAM knows no resource for them"
      actions    = ["rds:DescribeEvents"]
      resources  = ["*"]
      conditions = local.from_cloudformation
    },
    {
      sid        = "AlarmsOfStack"
      actions    = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms"]
      resources  = ["arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${local.stack_name}-*"]
      conditions = local.from_cloudformation
    },
    {
      # The contract compares the size of the disk with what a run needs.
      sid       = "ResetMasterPassword"
      actions   = ["rds:ModifyDBInstance", "rds:DescribeDBInstances"]
      resources = [local.instance_arn]
    },
    {
      sid       = "PointDnsRecord"
      actions   = ["route53:ChangeResourceRecordSets"]
      resources = ["arn:aws:route53:::hostedzone/${var.hosted_zone_id}"]
      conditions = [
        { test = "ForAllValues:StringEquals", variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames", values = [var.dns_name] },
        { test = "ForAllValues:StringEquals", variable = "route53:ChangeResourceRecordSetsRecordTypes", values = ["CNAME"] },
        { test = "ForAllValues:StringEquals", variable = "route53:ChangeResourceRecordSetsActions", values = ["UPSERT"] },
      ]
    },
  ]
}
