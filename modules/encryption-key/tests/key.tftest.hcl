mock_provider "aws" {
  source = "../testing"
}

variables {
  alias              = "tst-anstead-kms-bua"
  description        = "Test"
  account_id         = "222222222222"
  region             = "ap-southeast-2"
  log_group_prefixes = ["/aws/lambda/tst-anstead-"]
  service_sources    = { "sns.amazonaws.com" = ["arn:aws:sns:ap-southeast-2:111111111111:topic"] }
}

run "rotates_and_answers_only_to_its_account_and_named_services" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates."
  }

  assert {
    condition     = data.aws_iam_policy_document.this.statement[0].principals == toset([{ type = "AWS", identifiers = toset(["arn:aws:iam::222222222222:root"]) }])
    error_message = "Only the own account manages the key."
  }

  assert {
    condition = alltrue([for statement in slice(data.aws_iam_policy_document.this.statement, 1, 3) :
      length(statement.condition) == 1 && !contains(statement.actions, "kms:*")
    ])
    error_message = "Services use the key under a condition, and never all of it."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[2].condition).values == tolist(["arn:aws:sns:ap-southeast-2:111111111111:topic"])
    error_message = "SNS uses the key for this one topic."
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/tst-anstead-kms-bua"
    error_message = "The alias has AWS's prefix."
  }
}

run "refuses_an_alias_with_its_prefix" {
  command = plan

  variables {
    alias = "alias/tst-anstead-kms-bua"
  }

  expect_failures = [var.alias]
}

run "refuses_a_service_that_is_none" {
  command = plan

  variables {
    service_sources = { "arn:aws:iam::111111111111:root" = ["*"] }
  }

  expect_failures = [var.service_sources]
}
