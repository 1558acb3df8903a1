mock_provider "aws" {
  source = "../testing"
}

variables {
  prefix      = "tst-anstead"
  account_id  = "222222222222"
  region      = "ap-southeast-2"
  kms_key_arn = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
}

run "hears_the_alarms_of_its_prefix_and_nobody_else" {
  assert {
    condition     = aws_sns_topic.this.name == "tst-anstead-sns-bua-alarms" && aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "One topic, encrypted with the key."
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.this.statement : s.sid if s.effect != "Deny"] == ["Alarms"]
    error_message = "The policy has one statement."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[0].principals).identifiers == toset(["cloudwatch.amazonaws.com"]) && one(data.aws_iam_policy_document.this.statement[0].condition).values == tolist(["arn:aws:cloudwatch:ap-southeast-2:222222222222:alarm:tst-anstead-*"])
    error_message = "CloudWatch, for this account's alarms of the prefix."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.this) == 0
    error_message = "Without addresses there are no subscriptions."
  }
}

run "subscribes_everybody_once" {
  variables {
    emails = ["first@example.com", "second@example.com"]
  }

  assert {
    condition     = sort([for subscription in aws_sns_topic_subscription.this : subscription.endpoint]) == tolist(["first@example.com", "second@example.com"])
    error_message = "A subscription for each address."
  }
}
