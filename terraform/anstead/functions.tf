module "queue" {
  source   = "../../modules/work-queue"
  for_each = local.queue_functions

  name = "${local.prefix}-sqs-bua-${each.key}"
  # The clock sees to the messages of workers (decision record 0026). Nobody sees to its own, and those of the others.
  visibility_timeout_seconds = contains(local.workers, each.key) ? 6 * local.timeout_seconds[each.key] : local.timeout_seconds[each.key] + 15
  kms_key_arn                = module.encryption_key.arn
  topic_arn                  = each.key == "notify" ? local.topic_arn : null
  alarm_topic_arn            = module.alarm_topic.arn
}

module "function" {
  source   = "../../modules/lambda-function"
  for_each = local.functions

  name            = "${local.prefix}-lambda-bua-${each.key}"
  role_name       = "${local.prefix}-role-bua-lambda-${each.key}"
  description     = each.value.description
  handler         = "lambdas.${replace(each.key, "-", "_")}.handler.lambda_handler"
  zip_file        = "${var.zip_folder}/lambda-bua-${each.key}.zip"
  code_bucket     = contains(each.value.requirements, "report") ? { name = module.export_storage.bucket_name } : null
  runtime         = local.catalogue.runtime.python
  architecture    = local.catalogue.runtime.architecture
  timeout_seconds = local.timeout_seconds[each.key]
  memory_mb       = each.value.memory_mb
  ephemeral_mb    = try(each.value.ephemeral_mb, 512)
  environment     = local.environment
  region          = var.region
  kms_key_arn     = module.encryption_key.arn
  key_services    = local.key_services[each.key]
  statements      = local.statements[each.key]

  # Only functions that connect to the database are in its VPC.
  network = contains(each.value.requirements, "database") ? {
    subnet_ids         = var.private_subnet_ids
    security_group_ids = [aws_security_group.functions.id]
  } : null

  event_source = contains(keys(local.queue_functions), each.key) ? {
    queue_arn       = module.queue[each.key].arn
    batch_size      = each.value.queue.batch_size
    max_concurrency = local.concurrency[each.key]
  } : null

  # Functions with work items move a message that failed for good there themselves, with its cause.
  dead_letter_queue_arn = contains(local.workers, each.key) ? module.queue[each.key].dead_letter_arn : null

  log_retention_days = var.log_retention_days
  log_level          = var.log_level
  alarm_errors       = contains(keys(local.queue_functions), each.key) ? 0 : null
  alarm_topic_arn    = module.alarm_topic.arn
}

locals {
  timeout_seconds = { for key, function in local.functions : key =>
    contains(keys(local.queue_functions), key) ? min(function.timeout_seconds, var.most_timeout_seconds) : function.timeout_seconds
  }

  # A site-data function consumes about 1,850 read units a second: 250 sites in 12 seconds (docs/deployment.md). So many of them
  # read all that the run's own table gives. From production's table, where there is no export, each takes its share of what is to
  # spare, and at least 150 units a second, so that a message of 22,250 units ends within the function's time-out.
  interval_readers = min(
    var.run_interval_read_units_per_second == 0 ? 1000 : max(2, floor(var.run_interval_read_units_per_second / 1850)),
    var.interval_read_units_per_second == 0 ? 1000 : max(2, floor(var.interval_read_units_per_second / 150)),
  )
  concurrency = { for key, function in local.queue_functions : key =>
    min(function.queue.concurrency, var.concurrency_cap, key == "site-data" ? local.interval_readers : 1000)
  }

  # The functions to which the items of some run type go.
  workers = toset(flatten([for machine in local.catalogue.state_machines : [for run_type in try(machine.run_types, {}) : run_type.function]]))

  # src/shared/settings.py has one field for each.
  environment = merge(module.database_restore.environment, {
    ENVIRONMENT              = var.environment
    PREFIX                   = local.prefix
    ACCOUNT_ID               = var.account_id
    TIME_ZONE                = var.time_zone
    CONTROL_TABLE            = local.control_table
    BUCKET                   = local.bucket
    INTEGRATION_BUCKET       = local.integration_bucket
    QUEUE_URL_PREFIX         = local.queue_url_prefix
    STATE_MACHINE_ARN_PREFIX = local.machine_arn_prefix
    REPORT_TOPIC_ARN         = aws_sns_topic.report.arn
    EXPORT_RETENTION_DAYS    = tostring(module.export_storage.export_retention_days)
    TICK_SECONDS             = tostring(var.tick_seconds)
    MOST_TIMEOUT_SECONDS     = tostring(var.most_timeout_seconds)
    MOST_ITEMS_PER_MESSAGE   = tostring(var.most_items_per_message)
    INTERVAL_TABLE           = coalesce(var.earl_interval_table_name, "${local.earl_prefix}-ddb-interval")
    INTERVAL_ROLE_ARN        = local.interval_role_arn
    INTERVAL_READ_UNITS      = tostring(floor(var.interval_read_units_per_second / local.concurrency["site-data"]))
    INTERVAL_EXPORT_ROLE_ARN = local.export_role_arn
    INTERVAL_TABLE_PREFIX    = local.run_table_prefix
    RUN_INTERVAL_READ_UNITS  = tostring(floor(var.run_interval_read_units_per_second / local.concurrency["site-data"]))
    GENERATED_INTERVAL_TABLE = local.interval_table
    DATABASE_NAME            = "core"
    RESTORE_INSTANCE_CLASS   = var.instance_class

    RESTORE_ALLOCATED_STORAGE_GB = tostring(var.allocated_storage_gb)
    RESTORE_IOPS                 = tostring(var.iops)
    RESTORE_THROUGHPUT           = tostring(var.storage_throughput)

    EKS_CLUSTER    = local.cluster_name
    EKS_NODE_GROUP = local.node_group_name
    EKS_NAMESPACE  = "core"
  })
}
