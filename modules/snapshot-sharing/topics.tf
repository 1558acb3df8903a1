resource "aws_sns_topic" "snapshot" {
  name              = local.topic_name
  kms_master_key_id = aws_kms_key.shared.arn
}

resource "aws_sns_topic_policy" "snapshot" {
  arn    = aws_sns_topic.snapshot.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AccrualSubscribesItsQueue"
    actions   = ["sns:Subscribe"]
    resources = [aws_sns_topic.snapshot.arn]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "sns:Protocol"
      values   = ["sqs"]
    }

    condition {
      test     = "StringEquals"
      variable = "sns:Endpoint"
      values   = [var.notification_queue_arn]
    }
  }

  statement {
    # Terraform in the accrual's account reads its subscription through the topic.
    sid       = "AccrualReadsItsSubscription"
    actions   = ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
    resources = [aws_sns_topic.snapshot.arn]

    principals {
      type        = "AWS"
      identifiers = [local.accrual_root_arn]
    }
  }

  statement {
    sid       = "OwnAccountPublishes"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.snapshot.arn]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${var.account_id}:root"]
    }
  }

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.snapshot.arn]

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

module "alarm_topic" {
  source = "../alarm-topic"

  prefix      = var.prefix
  account_id  = var.account_id
  region      = var.region
  kms_key_arn = aws_kms_key.shared.arn
  emails      = var.alarm_emails
}

# SNS retries for hours, but drops a message at once if a key or a policy forbids delivery. A run that never starts raises
# no alarm of its own.
resource "aws_cloudwatch_metric_alarm" "undelivered" {
  alarm_name          = "${local.topic_name}-undelivered"
  alarm_description   = "The announcement of a snapshot did not reach account ${var.accrual_account_id}: start its machine bua there with run_date and snapshot_arn."
  namespace           = "AWS/SNS"
  metric_name         = "NumberOfNotificationsFailed"
  dimensions          = { TopicName = aws_sns_topic.snapshot.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [module.alarm_topic.arn]
}
