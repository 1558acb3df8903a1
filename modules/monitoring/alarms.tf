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

# A node that was not scaled down costs as much in a weekend as a run. EC2 reports the processors of a group's machines as long
# as there are any. The database's own alarms are part of its stack: they come and go with it, under its name.
resource "aws_cloudwatch_metric_alarm" "nodes_left" {
  alarm_name          = "${var.prefix}-bua-nodes-left"
  alarm_description   = "Nodes of the accrual have existed for a day. If no run needs them, start ${var.prefix}-scaledown."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { AutoScalingGroupName = var.node_group_asg }
  statistic           = "SampleCount"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 3600
  evaluation_periods  = 24
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
