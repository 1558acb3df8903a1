output "shared_key_arn" {
  description = "ARN of the key that shared snapshots are encrypted with."
  value       = aws_kms_key.shared.arn
}

output "topic_arn" {
  description = "ARN of the topic that announces snapshots."
  value       = aws_sns_topic.snapshot.arn
}

output "interval_role_arn" {
  description = "ARN of the role that reads the interval store."
  value       = aws_iam_role.interval_read.arn
}

output "interval_export_bucket" {
  description = "Bucket of the interval store's exports."
  value       = aws_s3_bucket.interval_export.id
}

output "machine_arn" {
  description = "ARN of the state machine."
  value       = module.machine.arn
}
