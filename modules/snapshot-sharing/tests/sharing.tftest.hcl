mock_provider "aws" {
  source = "../testing"
}

variables {
  prefix                 = "tst-earl"
  account_id             = "111111111111"
  accrual_account_id     = "222222222222"
  region                 = "ap-southeast-2"
  production_instance    = "tst-earl-core"
  production_key_arn     = "arn:aws:kms:ap-southeast-2:111111111111:key/77777777-2222-3333-4444-555555555555"
  interval_table_name    = "tst-earl-ddb-interval"
  reader_role_arns       = ["arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-site-data"]
  copier_role_arn        = "arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-fast"
  importer_role_arn      = "arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-slow"
  notification_queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-notify"
  template_files         = ["../../statemachines/blocks.yaml", "../../statemachines/14-snapshot.asl.yaml"]
  placeholders           = ["production_instance", "shared_key_arn", "accrual_account_id", "snapshot_topic_arn", "snapshots_kept", "interval_table_arn", "interval_export_bucket"]
}

run "begins_at_local_midnight_of_the_first" {
  assert {
    condition     = module.schedule.schedule.schedule_expression == "cron(0 0 1 * ? *)" && module.schedule.schedule.schedule_expression_timezone == "Australia/Sydney"
    error_message = "Midnight of the first in Sydney by default."
  }

  assert {
    condition     = module.schedule.schedule.name == "tst-earl-bua-snapshot" && module.schedule.role_name == "tst-earl-role-bua-scheduler"
    error_message = "Names by which it is found."
  }

  assert {
    condition     = module.schedule.schedule.target[0].dead_letter_config[0].arn == aws_sqs_queue.missed.arn && module.schedule.schedule.kms_key_arn == aws_kms_key.shared.arn
    error_message = "A missed start is kept, and encrypted."
  }

  assert {
    condition     = module.schedule.schedule.target[0].retry_policy[0].maximum_event_age_in_seconds == 21600
    error_message = "It is missed after six hours."
  }
}

run "trusts_exactly_the_other_account" {
  assert {
    condition = toset(flatten([for s in data.aws_iam_policy_document.key.statement : [for p in s.principals : p.identifiers if p.type == "AWS"]])) == toset([
      "arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root",
    ])
    error_message = "The key knows two accounts."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.key.statement :
      contains([for c in s.condition : c.variable], "kms:ViaService") && !contains(s.actions, "kms:*")
      if contains(flatten([for p in s.principals : tolist(p.identifiers)]), "arn:aws:iam::222222222222:root")
    ])
    error_message = "The other account uses the key through services only."
  }

  assert {
    condition = jsonencode({ for s in data.aws_iam_policy_document.key.statement : s.sid => sort([for c in s.condition : "${c.variable} ${join(" ", c.values)}"])
      if contains(flatten([for p in s.principals : tolist(p.identifiers)]), "arn:aws:iam::222222222222:root")
      }) == jsonencode({
      AccrualCopiesSnapshots = ["aws:PrincipalArn arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-fast", "kms:ViaService rds.ap-southeast-2.amazonaws.com"]
      AccrualLetsRdsUseIt    = ["aws:PrincipalArn arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-fast", "kms:GrantIsForAWSResource true", "kms:ViaService rds.ap-southeast-2.amazonaws.com"]
      AccrualReadsExports    = ["aws:PrincipalArn arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-slow", "kms:ViaService s3.ap-southeast-2.amazonaws.com"]
    })
    error_message = "Of the other account one role copies and one reads exports: whoever else may use RDS or S3 there gets nothing."
  }

  assert {
    condition = { for c in data.aws_iam_policy_document.topic.statement[0].condition : c.variable => c.values } == {
      "sns:Protocol" = tolist(["sqs"])
      "sns:Endpoint" = tolist(["arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-notify"])
    }
    error_message = "It subscribes its one queue."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.interval_read_trust.statement[0].condition).values == tolist(["arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-site-data"])
    error_message = "One of its roles reads intervals."
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.interval_read.statement : s.actions] == [toset(["dynamodb:Query"])]
    error_message = "It reads, and never writes."
  }
}

run "an_encrypted_interval_store_is_decrypted" {
  variables {
    interval_table_key_arn = "arn:aws:kms:ap-southeast-2:111111111111:key/66666666-2222-3333-4444-555555555555"
  }

  assert {
    condition     = data.aws_iam_policy_document.interval_read.statement[1].resources == toset(["arn:aws:kms:ap-southeast-2:111111111111:key/66666666-2222-3333-4444-555555555555"])
    error_message = "With its key, through DynamoDB."
  }
}

run "refuses_a_reader_that_is_an_account" {
  command = plan

  variables {
    reader_role_arns = ["arn:aws:iam::222222222222:root"]
  }

  expect_failures = [var.reader_role_arns]
}

run "refuses_a_copier_that_is_an_account" {
  command = plan

  variables {
    copier_role_arn = "arn:aws:iam::222222222222:root"
  }

  expect_failures = [var.copier_role_arn]
}

run "deletes_its_own_snapshots_only" {
  assert {
    condition = local.snapshot_arns == [
      "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-????-??-??",
      "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-????-??-??-shared",
    ]
    error_message = "Names with a run date: what anybody else called a snapshot is safe."
  }

  assert {
    condition     = local.values.snapshots_kept == "3"
    error_message = "Three months by default, as text for the template."
  }
}

run "an_announcement_that_is_lost_rings" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.undelivered.metric_name == "NumberOfNotificationsFailed" && aws_cloudwatch_metric_alarm.undelivered.dimensions == tomap({ TopicName = "tst-earl-sns-bua-snapshot" })
    error_message = "Nobody else notices a run that never begins before its deadline."
  }
}

run "refuses_to_keep_nothing" {
  command = plan

  variables {
    snapshots_kept = 0
  }

  expect_failures = [var.snapshots_kept]
}

run "exports_are_read_by_one_role_and_kept_for_a_time" {
  assert {
    condition = [for s in data.aws_iam_policy_document.interval_export_bucket.statement : s.actions if s.effect != "Deny"] == [toset(["s3:GetObject", "s3:ListBucket"])] && [
      for c in data.aws_iam_policy_document.interval_export_bucket.statement[0].condition : "${c.test} ${c.variable} ${join(" ", c.values)}"
    ] == ["ArnEquals aws:PrincipalArn arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-slow"]
    error_message = "One role of the other account lists and reads, and nobody there writes."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.interval_export_trust.statement[0].condition).values == tolist(["arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-slow"])
    error_message = "The same role looks at exports."
  }

  assert {
    condition     = data.aws_iam_policy_document.interval_export.statement[0].actions == toset(["dynamodb:DescribeExport"]) && data.aws_iam_policy_document.interval_export.statement[0].resources == toset(["arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval/export/*"])
    error_message = "It looks, and does nothing else."
  }

  assert {
    condition     = aws_s3_bucket.interval_export.bucket == "tst-earl-s3-bua-interval-export" && one(one(aws_s3_bucket_lifecycle_configuration.interval_export.rule).expiration).days == 95
    error_message = "The name that the accrual's account reads, for three months."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.interval_export.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.shared.arn
    error_message = "Encrypted under the key that the other account may use."
  }

  assert {
    condition     = local.values.interval_table_arn == "arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval"
    error_message = "The table that the machine exports."
  }
}

run "refuses_an_importer_that_is_an_account" {
  command = plan

  variables {
    importer_role_arn = "arn:aws:iam::222222222222:root"
  }

  expect_failures = [var.importer_role_arn]
}
