# The function next records the dead letters of a fan-out as FAIL within a tick. Older ones belong to no fan-out.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${aws_sqs_queue.dead_letters.name}-not-empty"
  alarm_description   = "There are dead letters in ${aws_sqs_queue.dead_letters.name}: read their attribute cause, or the function's log."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Minimum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name          = "${aws_sqs_queue.this.name}-stuck"
  alarm_description   = "The oldest message of ${aws_sqs_queue.this.name} is over ${var.alarm_age_seconds} seconds old: is its function throttled or failing?"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.this.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_age_seconds
  period              = 300
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
