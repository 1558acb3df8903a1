mock_provider "aws" {
  source = "../testing"
}

variables {
  prefix               = "tst-anstead"
  account_id           = "222222222222"
  source_account_id    = "111111111111"
  region               = "ap-southeast-2"
  source_instance_name = "tst-earl-core"
  source_key_arn       = "arn:aws:kms:ap-southeast-2:111111111111:key/99999999-2222-3333-4444-555555555555"
  kms_key_arn          = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
  vpc_id               = "vpc-1"
  subnet_ids           = ["subnet-1", "subnet-2"]
  hosted_zone_id       = "Z1"
  dns_name             = "sql.bua.tst.anstead.internal"
  template_bucket      = "tst-anstead-s3-bua"
  alarm_topic_arn      = "arn:aws:sns:ap-southeast-2:222222222222:tst-anstead-sns-bua-alarms"

  client_security_group_ids = { functions = "sg-2", platform = "sg-3" }
}

run "prepares_what_a_restore_needs" {
  assert {
    condition     = aws_s3_object.template.key == "templates/bua-sql.json" && endswith(aws_s3_object.template.source, "bua-sql.template.json")
    error_message = "The template is where the restore step reads it."
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "Production's major version."
  }

  assert {
    condition     = one([for p in aws_db_parameter_group.this.parameter : p.value if p.name == "rds.force_ssl"]) == "1"
    error_message = "No connection without TLS."
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.this : name => [rule.from_port, rule.referenced_security_group_id] } == { functions = [5432, "sg-2"], platform = [5432, "sg-3"] }
    error_message = "Functions and pods connect, nobody else, and from security groups only."
  }

  assert {
    condition     = { for secret in aws_secretsmanager_secret.password : trimprefix(secret.name, "tst-anstead-bua-db-") => true } == { core_admin = true, lambda = true, meterdata = true, workflow = true }
    error_message = "A secret for each role."
  }

  assert {
    condition     = output.environment.DATABASE_SECRET_PREFIX == "${var.prefix}-bua-db"
    error_message = "The functions find them by prefix."
  }
}

run "a_database_that_is_left_full_or_busy_rings" {
  assert {
    condition = jsonencode({ for name, alarm in jsondecode(file(aws_s3_object.template.source)).Resources : name => [
      alarm.Properties.Namespace, alarm.Properties.MetricName, alarm.Properties.Statistic, alarm.Properties.ComparisonOperator, alarm.Properties.Threshold,
      alarm.Properties.Period * alarm.Properties.EvaluationPeriods,
      ] if alarm.Type == "AWS::CloudWatch::Alarm" }) == jsonencode({
      Cpu     = ["AWS/RDS", "CPUUtilization", "Average", "GreaterThanThreshold", 95, 3600]
      Storage = ["AWS/RDS", "FreeStorageSpace", "Minimum", "LessThanThreshold", { Ref = "LowBytes" }, 300]
      Left    = ["AWS/RDS", "DatabaseConnections", "SampleCount", "GreaterThanThreshold", 0, 86400]
    })
    error_message = "A day old, a tenth of the disk free, processors at 95 % for an hour."
  }

  assert {
    condition = alltrue([for alarm in jsondecode(file(aws_s3_object.template.source)).Resources :
      jsonencode(alarm.Properties.AlarmActions) == jsonencode([{ Ref = "AlarmTopic" }]) &&
      jsonencode(alarm.Properties.Dimensions) == jsonencode([{ Name = "DBInstanceIdentifier", Value = { Ref = "InstanceName" } }])
      if alarm.Type == "AWS::CloudWatch::Alarm"
    ])
    error_message = "Of this instance alone, to the topic that the step names."
  }

  assert {
    condition     = sort([for alarm in jsondecode(file(aws_s3_object.template.source)).Resources : alarm.Properties.AlarmName["Fn::Sub"] if alarm.Type == "AWS::CloudWatch::Alarm"]) == tolist(["$${InstanceName}-cpu", "$${InstanceName}-left", "$${InstanceName}-storage"])
    error_message = "The names that the runbook lists."
  }

  assert {
    condition     = output.environment.ALARM_TOPIC_ARN == "arn:aws:sns:ap-southeast-2:222222222222:tst-anstead-sns-bua-alarms"
    error_message = "The step names the topic of the alarms."
  }
}

run "permits_the_run_s_own_resources_and_no_others" {
  assert {
    condition     = [for s in output.restore_statements : s.actions if contains(s.resources, "*")] == [["rds:DescribeEvents"]]
    error_message = "Nothing but looking is allowed on everything."
  }

  assert {
    condition = one([for s in output.restore_statements : s.resources if s.sid == "CopySnapshot"]) == [
      "arn:aws:rds:ap-southeast-2:111111111111:snapshot:tst-earl-core-bua-????-??-??-shared",
      "arn:aws:rds:ap-southeast-2:222222222222:snapshot:tst-anstead-bua-*",
    ]
    error_message = "From the source account's shared copies to this account's own."
  }

  assert {
    condition = alltrue([for s in output.restore_statements : s.conditions[0].variable == "aws:CalledVia"
      if length(setintersection(s.actions, ["rds:RestoreDBInstanceFromDBSnapshot", "rds:RebootDBInstance", "rds:DeleteDBInstance"])) > 0
    ])
    error_message = "Instances are created by CloudFormation only."
  }

  assert {
    condition     = alltrue([for s in output.restore_statements : length(s.conditions) > 0 if anytrue([for a in s.actions : startswith(a, "kms:")])])
    error_message = "Keys are used through RDS only."
  }

  assert {
    condition     = one([for s in output.restore_statements : s.conditions[0].values if s.sid == "PointDnsRecord"]) == ["sql.bua.tst.anstead.internal"]
    error_message = "One name of the zone, not the zone."
  }
}

run "takes_what_the_platform_relies_on" {
  variables {
    parameters = { work_mem = "131072", shared_preload_libraries = "pg_stat_statements,pg_cron", search_path = "core" }
  }

  assert {
    condition = { for p in aws_db_parameter_group.this.parameter : p.name => p.value if contains(["work_mem", "timezone", "search_path", "rds.force_ssl"], p.name) } == {
      work_mem = "131072", timezone = "UTC", search_path = "core", "rds.force_ssl" = "1"
    }
    error_message = "The given parameters beside and instead of the module's own."
  }
}

run "refuses_connections_without_tls" {
  command = plan

  variables {
    parameters = { "rds.force_ssl" = "0" }
  }

  expect_failures = [var.parameters]
}

run "refuses_a_single_subnet" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}
