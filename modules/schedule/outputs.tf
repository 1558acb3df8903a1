output "schedule" {
  description = "The schedule, with all that Scheduler is told."
  value       = aws_scheduler_schedule.this
}

output "role_name" {
  description = "Name of the schedule's role."
  value       = aws_iam_role.this.name
}
