resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_115: no concurrency is reserved, since the sum would exceed the account's 1,000; MaximumConcurrency is the limit
  # checkov:skip=CKV_AWS_116: it is invoked by queues, which have a dead-letter queue, and by state machines, which retry
  # checkov:skip=CKV_AWS_117: only functions that reach the database are in the VPC; others would gain an attack surface
  # checkov:skip=CKV_AWS_272: the pipeline builds from pinned hashes and deploys with its own role; code signing needs a second signer
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  filename          = var.code_bucket == null ? var.zip_file : null
  s3_bucket         = one(aws_s3_object.zip[*].bucket)
  s3_key            = one(aws_s3_object.zip[*].key)
  s3_object_version = one(aws_s3_object.zip[*].version_id)
  # A plan works without the zip, but then shows no change of code. Creating the function needs it.
  source_code_hash = fileexists(var.zip_file) ? filebase64sha256(var.zip_file) : null
  handler          = var.handler
  runtime          = var.runtime
  architectures    = [var.architecture]
  timeout          = var.timeout_seconds
  memory_size      = var.memory_mb
  kms_key_arn      = var.kms_key_arn

  ephemeral_storage {
    size = var.ephemeral_mb
  }

  environment {
    variables = merge(var.environment, {
      POWERTOOLS_SERVICE_NAME = var.name
      POWERTOOLS_LOG_LEVEL    = var.log_level
    })
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "Text" # Powertools writes JSON already; the JSON format would wrap it
    log_group  = aws_cloudwatch_log_group.this.name
  }

  dynamic "vpc_config" {
    for_each = var.network == null ? [] : [var.network]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # IAM first: without permissions a function fails when it starts, and a function in a VPC cannot even be created.
  depends_on = [aws_iam_role_policy.this]
}

# Lambda takes at most 50 MB in a request.
resource "aws_s3_object" "zip" {
  count = var.code_bucket == null ? 0 : 1

  bucket      = var.code_bucket.name
  key         = "functions/${basename(var.zip_file)}"
  source      = var.zip_file
  kms_key_id  = var.kms_key_arn
  source_hash = fileexists(var.zip_file) ? filebase64sha256(var.zip_file) : null

  # An object has tags of its own, which cost a permission to read and say nothing that the bucket's do not.
  override_provider {
    default_tags {
      tags = {}
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_event_source_mapping" "this" {
  count = var.event_source == null ? 0 : 1

  function_name           = aws_lambda_function.this.arn
  event_source_arn        = var.event_source.queue_arn
  batch_size              = var.event_source.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.event_source.max_concurrency
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  count = var.alarm_errors == null ? 0 : 1

  alarm_name          = "${var.name}-errors"
  alarm_description   = "${var.name} raised errors in three of four periods of 5 minutes, more than retries can explain. Read its log, ${aws_cloudwatch_log_group.this.name}."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_errors
  period              = 300
  evaluation_periods  = 4
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
