# ANSTEAD, the account that does the work: everything that exists between runs. What a run creates and deletes (the copy of
# the snapshot, the stack with the database) is only permitted here.
locals {
  prefix      = "${var.environment}-anstead"
  earl_prefix = "${var.environment}-earl"

  catalogue       = yamldecode(file("${path.module}/../../catalogue.yaml"))
  functions       = local.catalogue.functions
  queue_functions = { for key, function in local.functions : key => function if can(function.queue.concurrency) }

  # Names that policies refer to before the resources exist. src/local/aws/names.py uses the same names.
  control_table      = "${local.prefix}-ddb-bua"
  interval_table     = "${local.prefix}-ddb-interval"
  bucket             = "${local.prefix}-s3-bua"
  integration_bucket = "${local.prefix}-s3-rw-integration"
  cluster_name       = coalesce(var.cluster_name, "${local.prefix}-eks")
  node_group_name    = "${local.prefix}-bua"
  topic_arn          = "arn:aws:sns:${var.region}:${var.earl_account_id}:${local.earl_prefix}-sns-bua-snapshot"
  interval_role_arn  = "arn:aws:iam::${var.earl_account_id}:role/${local.earl_prefix}-role-bua-interval-read"
  export_role_arn    = "arn:aws:iam::${var.earl_account_id}:role/${local.earl_prefix}-role-bua-interval-export"
  export_bucket_arn  = "arn:aws:s3:::${local.earl_prefix}-s3-bua-interval-export"
  run_table_prefix   = "${local.prefix}-ddb-bua-interval-"
  run_tables_arn     = "arn:aws:dynamodb:${var.region}:${var.account_id}:table/${local.run_table_prefix}*"
  machine_arn_prefix = "arn:aws:states:${var.region}:${var.account_id}:stateMachine:${local.prefix}-"
  queue_url_prefix   = "${coalesce(var.sqs_endpoint, "https://sqs.${var.region}.amazonaws.com")}/${var.account_id}/${local.prefix}-sqs-bua-"
}

module "encryption_key" {
  source = "../../modules/encryption-key"

  alias              = "${local.prefix}-kms-bua"
  description        = "Everything of the bottom-up accrual in ${var.environment}"
  account_id         = var.account_id
  region             = var.region
  log_group_prefixes = ["/aws/lambda/${local.prefix}-", "/aws/vendedlogs/states/${local.prefix}-"]

  service_sources = {
    "sns.amazonaws.com"        = [local.topic_arn]
    "cloudwatch.amazonaws.com" = ["arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${local.prefix}-*"]
    "scheduler.amazonaws.com"  = ["arn:aws:scheduler:${var.region}:${var.account_id}:schedule/default/${local.prefix}-bua-deadline", "arn:aws:scheduler:${var.region}:${var.account_id}:schedule-group/default"]
  }
}

module "control_store" {
  source = "../../modules/control-store"

  control_table_name         = local.control_table
  interval_table_name        = var.enable_interval_table ? local.interval_table : null
  kms_key_arn                = module.encryption_key.arn
  enable_deletion_protection = var.enable_protection
}

module "export_storage" {
  source = "../../modules/export-storage"

  bucket_name               = local.bucket
  integration_bucket_name   = local.integration_bucket
  enable_integration_bucket = var.enable_integration_bucket
  kms_key_arn               = module.encryption_key.arn
  enable_force_destroy      = !var.enable_protection
}

module "database_restore" {
  source = "../../modules/database-restore"

  prefix               = local.prefix
  account_id           = var.account_id
  region               = var.region
  source_account_id    = var.earl_account_id
  source_instance_name = coalesce(var.earl_production_instance, "${local.earl_prefix}-core")
  source_key_arn       = var.earl_shared_key_arn
  kms_key_arn          = module.encryption_key.arn
  vpc_id               = var.vpc_id
  subnet_ids           = var.private_subnet_ids
  major_version        = var.major_version
  parameters           = var.parameters
  alarm_topic_arn      = module.alarm_topic.arn
  hosted_zone_id       = var.hosted_zone_id
  dns_name             = "sql.bua.${var.environment}.${var.domain}"
  template_bucket      = module.export_storage.bucket_name
  secret_recovery_days = var.enable_protection ? 7 : 0

  client_security_group_ids = {
    functions = aws_security_group.functions.id
    platform  = var.cluster_security_group_id
  }
}

module "cluster_scaling" {
  source = "../../modules/cluster-scaling"

  cluster_name    = local.cluster_name
  account_id      = var.account_id
  region          = var.region
  node_group_name = local.node_group_name
  node_role_name  = "${local.prefix}-role-bua-node"
  subnet_ids      = var.private_subnet_ids
  architecture    = var.node_architecture
  instance_types  = var.node_instance_types
  scaler_roles    = { controller-fast = module.function["controller-fast"].role_arn }

  api_clients = {
    cluster_security_group_id = var.cluster_security_group_id
    client_security_group_ids = { functions = aws_security_group.functions.id }
  }
}

module "alarm_topic" {
  source = "../../modules/alarm-topic"

  prefix      = local.prefix
  account_id  = var.account_id
  region      = var.region
  kms_key_arn = module.encryption_key.arn
  emails      = var.alarm_emails
}

module "monitoring" {
  source = "../../modules/monitoring"

  prefix             = local.prefix
  account_id         = var.account_id
  region             = var.region
  kms_key_arn        = module.encryption_key.arn
  alarm_topic_arn    = module.alarm_topic.arn
  state_machines     = [for step in local.steps : { step = step, arn = "${local.machine_arn_prefix}${step}" }]
  function_names     = [for function in module.function : function.name]
  queue_names        = [for queue in module.queue : queue.name]
  control_table_name = module.control_store.control_table_name
  control_table_arn  = module.control_store.control_table_arn
  node_group_asg     = module.cluster_scaling.auto_scaling_group_name
  deadline           = var.deadline
  enable_deadline    = var.enable_deadline
  time_zone          = var.time_zone
}
