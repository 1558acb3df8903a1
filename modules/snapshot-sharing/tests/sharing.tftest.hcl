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
  notification_queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-notify"
  template_files         = ["../../statemachines/blocks.yaml", "../../statemachines/14-snapshot.asl.yaml"]
  placeholders           = ["production_instance", "shared_key_arn", "accrual_account_id", "snapshot_topic_arn", "snapshots_kept"]
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
    error_message = "The other account uses the key through RDS only."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.key.statement :
      contains([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"],
      "ArnEquals aws:PrincipalArn arn:aws:iam::222222222222:role/tst-anstead-role-bua-lambda-controller-fast")
      if contains(flatten([for p in s.principals : tolist(p.identifiers)]), "arn:aws:iam::222222222222:root")
    ])
    error_message = "Of the other account one role uses the key: whoever else may use RDS there copies nothing."
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
