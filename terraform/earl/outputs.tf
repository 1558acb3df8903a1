output "shared_key_arn" {
  description = "Key of the shared snapshots: variable earl_shared_key_arn of ANSTEAD."
  value       = module.snapshot_sharing.shared_key_arn
}

output "snapshot_machine_arn" {
  description = "State machine that takes and shares the snapshot."
  value       = module.snapshot_sharing.machine_arn
}

output "interval_role_arn" {
  description = "Role that reads the interval store."
  value       = module.snapshot_sharing.interval_role_arn
}
