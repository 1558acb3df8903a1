mock_provider "aws" {
  source = "../testing"
}

variables {
  name            = "tst-anstead-bua"
  role_name       = "tst-anstead-role-bua-machine-bua"
  step            = "bua"
  template_files  = ["tests/blocks.yaml", "tests/template.asl.yaml"]
  kms_key_arn     = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
  account_id      = "222222222222"
  region          = "ap-southeast-2"
  alarm_topic_arn = "arn:aws:sns:ap-southeast-2:222222222222:alarms"

  calls = {
    functions = { controller-fast = "arn:aws:lambda:ap-southeast-2:222222222222:function:fast" }
    queues    = { site-initiate = { url = "https://sqs/initiate", arn = "arn:aws:sqs:ap-southeast-2:222222222222:initiate" } }
    machines  = { restore = "arn:aws:states:ap-southeast-2:222222222222:stateMachine:tst-anstead-restore" }
  }
}

run "fills_the_template_and_permits_what_it_calls" {
  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition) == {
      StartAt = "Invoke"
      States = {
        Invoke = {
          Type      = "Task"
          Resource  = "arn:aws:states:::lambda:invoke"
          Arguments = { FunctionName = "arn:aws:lambda:ap-southeast-2:222222222222:function:fast", Payload = { step = "bua", queue = "https://sqs/initiate" } }
          Next      = "Nest"
        }
        Nest = {
          Type      = "Task"
          Resource  = "arn:aws:states:::states:startExecution.sync:2"
          Arguments = { StateMachineArn = "arn:aws:states:ap-southeast-2:222222222222:stateMachine:tst-anstead-restore", Input = "{% $a < $b & 'x' > $c %}" }
          End       = true
        }
      }
    }
    error_message = "Blocks are taken over, placeholders filled, and nothing else is changed."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.this.statement : s.sid => s.resources if !contains(["DeliverLog", "Trace"], s.sid) } == {
      Functions          = toset(["arn:aws:lambda:ap-southeast-2:222222222222:function:fast"])
      Queues             = toset(["arn:aws:sqs:ap-southeast-2:222222222222:initiate"])
      QueuesKey          = toset([var.kms_key_arn])
      Machines           = toset(["arn:aws:states:ap-southeast-2:222222222222:stateMachine:tst-anstead-restore"])
      MachinesExecutions = toset(["arn:aws:states:ap-southeast-2:222222222222:execution:tst-anstead-restore:*"])
      MachinesEvents     = toset(["arn:aws:events:ap-southeast-2:222222222222:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"])
    }
    error_message = "The role is built from what the machine calls, and from nothing else."
  }

  assert {
    condition     = aws_sfn_state_machine.this.logging_configuration[0].level == "ALL" && !aws_sfn_state_machine.this.logging_configuration[0].include_execution_data
    error_message = "Everything is logged but the data, which has task tokens in it."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.failed) == 3
    error_message = "Failed, timed out and aborted executions ring."
  }
}

run "refuses_a_call_that_the_template_does_not_make" {
  command = plan

  variables {
    calls = {
      functions = { controller-fast = "arn:fast", controller-slow = "arn:slow" }
      queues    = { site-initiate = { url = "https://sqs/initiate", arn = "arn:initiate" } }
      machines  = { restore = "arn:restore" }
    }
  }

  expect_failures = [aws_sfn_state_machine.this]
}

run "refuses_a_template_that_calls_what_it_is_not_given" {
  command = plan

  variables {
    calls = {
      functions = { controller-fast = "arn:fast" }
      queues    = { site-initiate = { url = "https://sqs/initiate", arn = "arn:initiate" } }
    }
  }

  expect_failures = [aws_sfn_state_machine.this]
}

run "refuses_a_block_that_does_not_exist" {
  command = plan

  variables {
    template_files = ["tests/template.asl.yaml"]
  }

  expect_failures = [var.template_files]
}

run "refuses_a_wildcard_action" {
  command = plan

  variables {
    statements = [{ sid = "All", actions = ["rds:*"], resources = ["arn:aws:rds:ap-southeast-2:222222222222:db:x"] }]
  }

  expect_failures = [var.statements]
}
