# EARL, the production account. It only gives: a snapshot and an export of interval reads on the first of the month, and roles that look at them.
locals {
  prefix         = "${var.environment}-earl"
  anstead_prefix = "${var.environment}-anstead"

  catalogue = yamldecode(file("${path.module}/../../catalogue.yaml"))
  position  = { for position, machine in local.catalogue.state_machines : machine.step => position }
  snapshot  = local.catalogue.state_machines[local.position["snapshot"]]

  definitions = "${path.module}/../../statemachines"
}

module "snapshot_sharing" {
  source = "../../modules/snapshot-sharing"

  prefix                 = local.prefix
  account_id             = var.account_id
  accrual_account_id     = var.anstead_account_id
  region                 = var.region
  production_instance    = coalesce(var.production_instance, "${local.prefix}-core")
  production_key_arn     = var.production_key_arn
  interval_table_name    = coalesce(var.interval_table_name, "${local.prefix}-ddb-interval")
  interval_table_key_arn = var.interval_table_key_arn
  copier_role_arn        = "arn:aws:iam::${var.anstead_account_id}:role/${local.anstead_prefix}-role-bua-lambda-controller-fast"
  importer_role_arn      = "arn:aws:iam::${var.anstead_account_id}:role/${local.anstead_prefix}-role-bua-lambda-controller-slow"
  interval_export_days   = var.interval_export_days
  reader_role_arns       = ["arn:aws:iam::${var.anstead_account_id}:role/${local.anstead_prefix}-role-bua-lambda-site-data"]
  notification_queue_arn = "arn:aws:sqs:${var.region}:${var.anstead_account_id}:${local.anstead_prefix}-sqs-bua-notify"
  template_files         = ["${local.definitions}/blocks.yaml", "${local.definitions}/${format("%02d", local.position["snapshot"])}-snapshot.asl.yaml"]
  placeholders           = local.snapshot.calls.values
  time_zone              = var.time_zone
  enable_schedule        = var.enable_schedule
  snapshots_kept         = var.snapshots_kept
  alarm_emails           = var.alarm_emails
}
