locals {
  positions = { for position, machine in local.catalogue.state_machines : machine.step => position }
  machines  = { for machine in local.catalogue.state_machines : machine.step => machine if machine.account == "ANSTEAD" }
  steps     = [for machine in local.catalogue.state_machines : machine.step if machine.account == "ANSTEAD"]

  definitions = "${path.module}/../../statemachines"

  # The catalogue says what a machine calls. Placeholders and permissions are built from that and nothing else.
  calls = { for step, machine in local.machines : step => {
    functions = { for key in try(machine.calls.functions, []) : key => module.function[key].arn }
    queues    = { for key in try(machine.calls.queues, []) : key => { url = "${local.queue_url_prefix}${key}", arn = module.queue[key].arn } }
    machines  = { for key in try(machine.calls.machines, []) : key => "${local.machine_arn_prefix}${key}" }
  } }
}

module "machine" {
  source   = "../../modules/state-machine"
  for_each = local.machines

  name               = "${local.prefix}-${each.key}"
  role_name          = "${local.prefix}-role-bua-machine-${each.key}"
  step               = each.key
  template_files     = ["${local.definitions}/blocks.yaml", "${local.definitions}/${format("%02d", local.positions[each.key])}-${each.key}.asl.yaml"]
  calls              = local.calls[each.key]
  kms_key_arn        = module.encryption_key.arn
  account_id         = var.account_id
  region             = var.region
  log_retention_days = var.log_retention_days
  alarm_topic_arn    = module.alarm_topic.arn
}
