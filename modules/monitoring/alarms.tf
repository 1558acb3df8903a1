resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = toset(var.function_names)

  alarm_name          = "${each.key}-throttled"
  alarm_description   = "${each.key} was throttled for 15 minutes: the account's concurrency is used up. Find out by which functions."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.key }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}

# An instance that was not terminated costs as much in a weekend as a run. An alarm cannot search for a metric by name, so
# this one watches RDS's sum over the engine. The account's only PostgreSQL instances are the accrual's.
resource "aws_cloudwatch_metric_alarm" "database_left" {
  alarm_name          = "${var.prefix}-bua-database-left"
  alarm_description   = "A restored database has existed for three days. If its run has ended, start ${var.prefix}-terminate; for an earlier month, with its run_date and force."
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnections"
  dimensions          = { EngineName = "postgres" }
  statistic           = "SampleCount"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 21600
  evaluation_periods  = 12
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
