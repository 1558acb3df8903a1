output "name" {
  description = "Name of the machine."
  value       = aws_sfn_state_machine.this.name
}

output "arn" {
  description = "ARN of the machine."
  value       = aws_sfn_state_machine.this.arn
}

output "role_name" {
  description = "Name of the machine's role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Name of the machine's log group."
  value       = aws_cloudwatch_log_group.this.name
}
