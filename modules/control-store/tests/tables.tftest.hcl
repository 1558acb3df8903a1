mock_provider "aws" {
  source = "../testing"
}

variables {
  control_table_name = "tst-anstead-ddb-bua"
  kms_key_arn        = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
}

run "the_ledger_is_protected" {
  assert {
    condition     = aws_dynamodb_table.control.hash_key == "control_key" && aws_dynamodb_table.control.range_key == "run_date"
    error_message = "The ledger's keys are those that src/shared/ledger.py writes."
  }

  assert {
    condition     = aws_dynamodb_table.control.deletion_protection_enabled && aws_dynamodb_table.control.point_in_time_recovery[0].enabled
    error_message = "Data that lives is protected."
  }

  assert {
    condition     = aws_dynamodb_table.control.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "Encrypted with the account's key."
  }

  assert {
    condition     = length(aws_dynamodb_table.interval) == 0 && output.interval_table_arn == null
    error_message = "No interval store unless asked for."
  }
}

run "the_interval_store_can_be_thrown_away" {
  variables {
    interval_table_name = "tst-anstead-ddb-interval"
  }

  assert {
    condition     = aws_dynamodb_table.interval[0].hash_key == "pk" && aws_dynamodb_table.interval[0].range_key == "sk" && !aws_dynamodb_table.interval[0].deletion_protection_enabled
    error_message = "meterdata's keys, no protection."
  }
}

run "refuses_a_name_that_is_none" {
  command = plan

  variables {
    control_table_name = "a b"
  }

  expect_failures = [var.control_table_name]
}
