output "rbac_manifest" {
  description = "Kubernetes manifest that lets the functions scale the platform's services: `terraform output -raw rbac_manifest | kubectl apply -f -`."
  value       = module.cluster_scaling.rbac_manifest
}

output "controller_machine_arn" {
  description = "State machine `bua`, which starts a run or a rerun."
  value       = module.machine["bua"].arn
}

output "machine_arns" {
  description = "State machines by step."
  value       = { for step, machine in module.machine : step => machine.arn }
}

output "dashboard_url" {
  description = "Dashboard with the whole run on one page."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards:name=${module.monitoring.dashboard_name}"
}

output "authority_secret_name" {
  description = "Secret that has to be filled once with RDS's certificate authorities."
  value       = "${local.prefix}-bua-db-ca"
}
