output "arn" {
  description = "ARN of the topic, for the alarms' actions."
  value       = aws_sns_topic.this.arn
}
