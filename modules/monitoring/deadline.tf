# Metrics cannot say "not finished by the second": a check at the deadline reads the ledger and fails if the run has not
# succeeded; its failure is the alarm.
module "deadline" {
  source = "../state-machine"

  name            = "${var.prefix}-bua-deadline"
  role_name       = "${var.prefix}-role-bua-machine-deadline"
  step            = "deadline"
  template_files  = ["${path.module}/deadline.asl.json"] # JSON is YAML; it shares no block with the month's machines
  values          = { control_table = var.control_table_name }
  kms_key_arn     = var.kms_key_arn
  account_id      = var.account_id
  region          = var.region
  alarm_topic_arn = var.alarm_topic_arn

  statements = [
    {
      sid       = "ReadLedger"
      actions   = ["dynamodb:GetItem"]
      resources = [var.control_table_arn]
    },
    {
      sid       = "DecryptLedger"
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key_arn]
      conditions = [
        { test = "StringEquals", variable = "kms:ViaService", values = ["dynamodb.${var.region}.amazonaws.com"] },
      ]
    },
  ]
}

module "schedule" {
  source = "../schedule"

  name            = "${var.prefix}-bua-deadline"
  description     = "Checks that the month's run has finished"
  role_name       = "${var.prefix}-role-bua-deadline-scheduler"
  machine_arn     = module.deadline.arn
  schedule        = var.deadline
  time_zone       = var.time_zone
  enable_schedule = var.enable_deadline
  account_id      = var.account_id
}
