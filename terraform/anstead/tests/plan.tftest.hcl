mock_provider "aws" {
  source = "../../modules/testing"
}

variables {
  environment               = "tst"
  account_id                = "222222222222"
  earl_account_id           = "111111111111"
  earl_shared_key_arn       = "arn:aws:kms:ap-southeast-2:111111111111:key/99999999-2222-3333-4444-555555555555"
  vpc_id                    = "vpc-1"
  private_subnet_ids        = ["subnet-1", "subnet-2"]
  hosted_zone_id            = "Z1"
  cluster_security_group_id = "sg-9"
}

run "names_are_the_document_s" {
  assert {
    condition = [for step in local.steps : module.machine[step].name] == [
      "tst-anstead-bua", "tst-anstead-restore", "tst-anstead-scaleup-workflow", "tst-anstead-warming", "tst-anstead-segments",
      "tst-anstead-microscalar", "tst-anstead-reset-basicreads", "tst-anstead-basicreads", "tst-anstead-scaleup-meterdata",
      "tst-anstead-nem12", "tst-anstead-invoiceruns", "tst-anstead-scaledown", "tst-anstead-export", "tst-anstead-terminate",
    ]
    error_message = "Fourteen state machines in the pipeline's order."
  }

  assert {
    condition = length(setsubtract([for key in [
      "controller-fast", "controller-slow", "next", "notify", "site-basic", "site-data", "site-export", "site-initiate",
      "site-mscalar", "site-nem12", "site-prepare", "site-segment",
    ] : "tst-anstead-lambda-bua-${key}"], [for function in module.function : function.name])) == 0
    error_message = "The document's twelve functions are there; there may be more."
  }

  assert {
    condition     = module.control_store.control_table_name == "tst-anstead-ddb-bua"
    error_message = "The control table."
  }
}

run "the_run_s_own_table_gives_what_it_can_and_production_s_what_it_can_spare" {
  assert {
    condition     = local.concurrency["site-data"] == 21 && local.environment["RUN_INTERVAL_READ_UNITS"] == "1904"
    error_message = "21 functions at 1,904 read units a second: 40,000, what an on-demand table gives by default."
  }

  assert {
    condition     = local.environment["INTERVAL_READ_UNITS"] == "952"
    error_message = "Where there is no export, 21 functions at 952: 20,000 of production's table."
  }

  assert {
    condition     = startswith(local.environment["INTERVAL_TABLE_PREFIX"], local.control_table) && local.run_tables_arn == "arn:aws:dynamodb:ap-southeast-2:222222222222:table/tst-anstead-ddb-bua-interval-*"
    error_message = "The run's table has the accrual's name."
  }

  assert {
    condition     = local.concurrency["site-mscalar"] == 32
    error_message = "Nobody else reads it."
  }
}

# IAM allows 10,240 characters; logging, tracing, network, key and queue take about 1,900 of them. The names here are shorter than
# real ones; modules/lambda-function counts those at every plan.
run "policies_fit_into_a_role" {
  assert {
    condition     = max([for key, statements in local.statements : length(jsonencode([for s in statements : [s.sid, s.actions, s.resources, try(s.conditions, [])]]))]...) <= 8300
    error_message = "A function's policy has too many characters: ${jsonencode({ for key, statements in local.statements : key => length(jsonencode([for s in statements : [s.sid, s.actions, s.resources, try(s.conditions, [])]])) })}"
  }
}

run "every_worker_has_its_grants" {
  assert {
    condition = alltrue([for key in local.workers :
      length(setintersection(["ReadLedger", "DatabasePassword"], [for s in local.statements[key] : s.sid])) == 2
    ])
    error_message = "Workers find and enter the database."
  }

  assert {
    condition     = [for s in local.statements["notify"] : s.sid] == ["StartRun"]
    error_message = "notify starts runs and does nothing else."
  }

  assert {
    condition = { for key in ["site-basic", "site-mscalar", "site-prepare", "site-segment"] : key => [for s in local.statements[key] : s.sid] } == {
      for key in ["site-basic", "site-mscalar", "site-prepare", "site-segment"] : key => ["ReadLedger", "DatabasePassword"]
    }
    error_message = "A function that only works in the database has no grants beyond it."
  }

  assert {
    condition     = alltrue([for key, function in local.function_grants : contains(keys(local.functions), key)])
    error_message = "Grants are for functions that the catalogue has."
  }

  assert {
    condition     = sort(setunion(flatten(values(local.function_grants)), ["ledger-read", "database"])) == sort(keys(local.grants))
    error_message = "Every grant is used."
  }
}

run "one_function_imports_interval_reads_and_one_reads_them" {
  assert {
    condition = [for s in local.statements["site-data"] : "${join(" ", s.actions)} ${join(" ", s.resources)}" if strcontains(s.sid, "Intervals")] == [
      "dynamodb:Query arn:aws:dynamodb:ap-southeast-2:222222222222:table/tst-anstead-ddb-bua-interval-*",
      "sts:AssumeRole arn:aws:iam::111111111111:role/tst-earl-role-bua-interval-read",
    ]
    error_message = "site-data reads the run's own table, or production's through the role there."
  }

  assert {
    condition     = [for key, statements in local.statements : key if contains(flatten([for s in statements : s.actions]), "dynamodb:ImportTable")] == ["controller-slow"]
    error_message = "EARL's bucket, key and role admit controller-slow."
  }

  assert {
    condition = toset(flatten([for s in local.statements["controller-slow"] : s.resources if anytrue([for a in s.actions : startswith(a, "s3:")]) && anytrue([for r in s.resources : strcontains(r, "tst-earl")])])) == toset([
      "arn:aws:s3:::tst-earl-s3-bua-interval-export", "arn:aws:s3:::tst-earl-s3-bua-interval-export/*",
    ])
    error_message = "The bucket as terraform/earl names it."
  }
}

run "a_higher_quota_is_used_as_far_as_the_live_table_allows" {
  variables {
    run_interval_read_units_per_second = 0
    concurrency_cap                    = 1000
  }

  assert {
    condition     = local.concurrency["site-data"] == 133 && local.environment["RUN_INTERVAL_READ_UNITS"] == "0" && local.environment["INTERVAL_READ_UNITS"] == "150"
    error_message = "At 150 units a second of production's table a message still ends within the time-out."
  }
}
