# Who is told of a month's report: a link and the headline, no customer's data.
resource "aws_sns_topic" "report" {
  name              = "${local.prefix}-sns-bua-report"
  kms_master_key_id = module.encryption_key.arn
}

resource "aws_sns_topic_policy" "report" {
  arn    = aws_sns_topic.report.arn
  policy = data.aws_iam_policy_document.report_topic.json
}

data "aws_iam_policy_document" "report_topic" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.report.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_subscription" "report" {
  for_each = var.finance_emails

  topic_arn = aws_sns_topic.report.arn
  protocol  = "email"
  endpoint  = each.key
}

# It runs once a month: one error is enough to look. The run goes on without it.
resource "aws_cloudwatch_metric_alarm" "report" {
  alarm_name          = "${local.prefix}-lambda-bua-report-failed"
  alarm_description   = "The month's files are complete, the report could not be made. See *There is no report* in docs/runbook.md."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = module.function["report"].name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [module.alarm_topic.arn]
}
