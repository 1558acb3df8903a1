output "control_table_name" {
  description = "Name of the run ledger's table."
  value       = aws_dynamodb_table.control.name
}

output "control_table_arn" {
  description = "ARN of the run ledger's table."
  value       = aws_dynamodb_table.control.arn
}

output "interval_table_arn" {
  description = "ARN of the interval store; null if the platform provides it."
  value       = one(aws_dynamodb_table.interval[*].arn)
}
