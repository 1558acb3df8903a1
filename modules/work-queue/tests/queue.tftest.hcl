mock_provider "aws" {
  source = "../testing"

  override_resource {
    target = aws_sqs_queue.dead_letters
    values = {
      arn = "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic-dlq"
      url = "https://sqs.ap-southeast-2.amazonaws.com/222222222222/tst-anstead-sqs-bua-site-basic-dlq"
    }
  }

  override_resource {
    target = aws_sqs_queue.this
    values = {
      arn = "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic"
      url = "https://sqs.ap-southeast-2.amazonaws.com/222222222222/tst-anstead-sqs-bua-site-basic"
    }
  }
}

variables {
  name                       = "tst-anstead-sqs-bua-site-basic"
  visibility_timeout_seconds = 1800
  kms_key_arn                = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
  alarm_topic_arn            = "arn:aws:sns:ap-southeast-2:222222222222:alarms"
}

run "dead_letters_go_to_the_dead_letter_queue" {
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic-dlq", maxReceiveCount = 3 }
    error_message = "The third failed delivery goes to the dead-letter queue, not to the queue itself."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic"]
    error_message = "Only this queue may use the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.dead_letters.kms_master_key_id == var.kms_key_arn
    error_message = "Both queues are encrypted with the key."
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.this.message_retention_seconds
    error_message = "A dead letter keeps the age of its message: its queue must keep longer."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.this) == 0 && length(data.aws_iam_policy_document.this.statement) == 1
    error_message = "Without a topic nobody outside the account is let in."
  }
}

run "a_topic_of_another_account_may_send" {
  variables {
    topic_arn = "arn:aws:sns:ap-southeast-2:111111111111:tst-earl-sns-bua-snapshot"
  }

  assert {
    condition     = one(data.aws_iam_policy_document.this.statement[1].condition).values == tolist(["arn:aws:sns:ap-southeast-2:111111111111:tst-earl-sns-bua-snapshot"])
    error_message = "SNS may send for this topic alone."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.this[0].redrive_policy).deadLetterTargetArn == "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic-dlq" && one(data.aws_iam_policy_document.dead_letters.statement[1].condition).values == tolist(["arn:aws:sns:ap-southeast-2:111111111111:tst-earl-sns-bua-snapshot"])
    error_message = "What SNS cannot deliver is kept, and rings."
  }

  assert {
    condition     = aws_sns_topic_subscription.this[0].endpoint == "arn:aws:sqs:ap-southeast-2:222222222222:tst-anstead-sqs-bua-site-basic" && aws_sns_topic_subscription.this[0].raw_message_delivery != true
    error_message = "The queue is subscribed, with SNS's envelope, which notify reads."
  }
}

run "refuses_a_name_that_leaves_no_room" {
  command = plan

  variables {
    name = "q123456789012345678901234567890123456789012345678901234567890123456789012345678"
  }

  expect_failures = [var.name]
}
