mock_provider "aws" {
  source = "../testing"
}

variables {
  name            = "tst-anstead-lambda-bua-site-basic"
  role_name       = "tst-anstead-role-bua-lambda-site-basic"
  description     = "Test"
  handler         = "lambdas.site_basic.handler.lambda_handler"
  zip_file        = "no-such.zip"
  runtime         = "python3.13"
  architecture    = "arm64"
  timeout_seconds = 300
  memory_mb       = 512
  environment     = { PREFIX = "tst-anstead" }
  region          = "ap-southeast-2"
  kms_key_arn     = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
  alarm_topic_arn = "arn:aws:sns:ap-southeast-2:222222222222:alarms"
}

run "a_plan_needs_no_zip" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active"
    error_message = "X-Ray is on."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/tst-anstead-lambda-bua-site-basic" && aws_cloudwatch_log_group.this.retention_in_days == 400
    error_message = "The log is ours, and ends some day."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables["POWERTOOLS_SERVICE_NAME"] == "tst-anstead-lambda-bua-site-basic" && aws_lambda_function.this.environment[0].variables["PREFIX"] == "tst-anstead"
    error_message = "Powertools knows the service's name."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.this) == 0 && length(aws_lambda_function.this.vpc_config) == 0
    error_message = "Neither queue nor network unless asked for."
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == null
    error_message = "Nothing is reserved."
  }
}

run "a_queue_drives_it_so_many_at_once" {
  variables {
    event_source          = { queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:q", batch_size = 1, max_concurrency = 800 }
    dead_letter_queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:q-dlq"
    key_services          = ["sqs", "secretsmanager"]
    network               = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
    statements            = [{ sid = "Own", actions = ["s3:PutObject"], resources = ["arn:aws:s3:::bucket/nem12/*"] }]
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this[0].scaling_config[0].maximum_concurrency == 800
    error_message = "MaximumConcurrency is the catalogue's."
  }

  assert {
    condition     = contains(aws_lambda_event_source_mapping.this[0].function_response_types, "ReportBatchItemFailures")
    error_message = "One bad message does not bring the others back."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.this.statement : s.sid => s.resources if contains(["OwnQueue", "OwnDeadLetters", "Own"], s.sid) } == {
      OwnQueue       = toset(["arn:aws:sqs:ap-southeast-2:222222222222:q"])
      OwnDeadLetters = toset(["arn:aws:sqs:ap-southeast-2:222222222222:q-dlq"])
      Own            = toset(["arn:aws:s3:::bucket/nem12/*"])
    }
    error_message = "It reads its own queue, writes its own dead letters, and does what it was granted."
  }

  assert {
    condition     = sort([for s in data.aws_iam_policy_document.this.statement : s.sid if contains(s.resources, "*") && s.effect != "Deny"]) == tolist(["NetworkInterfaces", "Trace"])
    error_message = "Only the two services without resources are granted on *."
  }

  assert {
    condition = one([for s in data.aws_iam_policy_document.this.statement : one(s.condition).values if s.sid == "Key"]) == tolist([
      "sqs.ap-southeast-2.amazonaws.com", "secretsmanager.ap-southeast-2.amazonaws.com",
    ])
    error_message = "The key is used through these services only."
  }
}

run "refuses_a_wildcard_action" {
  command = plan

  variables {
    statements = [{ sid = "All", actions = ["s3:*"], resources = ["arn:aws:s3:::bucket/*"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_a_wildcard_resource_without_a_reason" {
  command = plan

  variables {
    statements = [{ sid = "All", actions = ["s3:PutObject"], resources = ["*"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_a_concurrency_that_sqs_cannot" {
  command = plan

  variables {
    event_source = { queue_arn = "arn:aws:sqs:ap-southeast-2:222222222222:q", batch_size = 1, max_concurrency = 1 }
  }

  expect_failures = [var.event_source]
}

run "the_example_is_whole" {
  module {
    source = "./examples/queue-driven"
  }

  assert {
    condition     = startswith(output.queue_url, "https://sqs.ap-southeast-2.amazonaws.com/")
    error_message = "It says where to send a message."
  }
}
