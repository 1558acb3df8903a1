mock_provider "aws" {
  source = "../../modules/testing"
}

run "tst" {
  command = plan

  variables {
    environment        = "tst"
    account_id         = "111111111111"
    anstead_account_id = "222222222222"
    production_key_arn = "arn:aws:kms:ap-southeast-2:111111111111:key/77777777-2222-3333-4444-555555555555"
  }
}

run "refuses_to_share_with_itself" {
  command = plan

  variables {
    environment        = "tst"
    account_id         = "111111111111"
    anstead_account_id = "111111111111"
    production_key_arn = "arn:aws:kms:ap-southeast-2:111111111111:key/77777777-2222-3333-4444-555555555555"
  }

  expect_failures = [var.anstead_account_id]
}
