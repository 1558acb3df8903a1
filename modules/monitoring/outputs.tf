output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "deadline_machine_arn" {
  description = "ARN of the state machine that checks the deadline."
  value       = module.deadline.arn
}
