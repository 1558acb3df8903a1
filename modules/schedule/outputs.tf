output "schedule" {
  description = "The schedule resource."
  value       = aws_scheduler_schedule.this
}

output "role_name" {
  description = "Name of the schedule's role."
  value       = aws_iam_role.this.name
}
