locals {
  by_machine = { for metric in ["ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"] : metric => [
    for machine in var.state_machines : ["AWS/States", metric, "StateMachineArn", machine.arn, { label = machine.step }]
  ] }

  # Restored instances are called <prefix>-<number>-bua-sql, with a new number every month. A search term
  # without quotation marks finds them by a word of their name.
  database = { for metric in ["CPUUtilization", "DatabaseConnections", "ReadIOPS", "WriteIOPS", "FreeStorageSpace", "DiskQueueDepth"] :
    metric => "SEARCH('{AWS/RDS,DBInstanceIdentifier} MetricName=\"${metric}\" DBInstanceIdentifier=bua', 'Average', 60)"
  }

  rows = [
    [
      { title = "Steps begun", stat = "Sum", period = 300, metrics = local.by_machine["ExecutionsStarted"] },
      { title = "Steps done", stat = "Sum", period = 300, metrics = local.by_machine["ExecutionsSucceeded"] },
      { title = "Steps failed", stat = "Sum", period = 300, metrics = local.by_machine["ExecutionsFailed"] },
    ],
    [
      { title = "Duration of steps (ms)", stat = "Maximum", period = 300, metrics = [
        for machine in var.state_machines : ["AWS/States", "ExecutionTime", "StateMachineArn", machine.arn, { label = machine.step }]
      ] },
      { title = "Messages waiting", stat = "Maximum", period = 60, metrics = [
        for name in var.queue_names : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, { label = name }]
      ] },
      { title = "Age of the oldest message (s)", stat = "Maximum", period = 60, metrics = [
        for name in var.queue_names : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, { label = name }]
      ] },
    ],
    [
      { title = "Dead letters", stat = "Maximum", period = 60, metrics = [
        for name in var.queue_names : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${name}-dlq", { label = name }]
      ] },
      { title = "Errors of functions", stat = "Sum", period = 60, metrics = [
        for name in var.function_names : ["AWS/Lambda", "Errors", "FunctionName", name, { label = name }]
      ] },
      { title = "Duration of functions, p99 (ms)", stat = "p99", period = 60, metrics = [
        for name in var.function_names : ["AWS/Lambda", "Duration", "FunctionName", name, { label = name }]
      ] },
    ],
    [
      { title = "Functions at work", stat = "Maximum", period = 60, metrics = [
        for name in var.function_names : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", name, { label = name }]
      ] },
      { title = "Throttled invocations", stat = "Sum", period = 60, metrics = [
        for name in var.function_names : ["AWS/Lambda", "Throttles", "FunctionName", name, { label = name }]
      ] },
      { title = "Database: CPU (%) and queue of its disk", stat = "Average", period = 60, metrics = [
        [{ expression = local.database["CPUUtilization"], label = "CPU" }],
        [{ expression = local.database["DiskQueueDepth"], label = "disk queue", yAxis = "right" }],
      ] },
    ],
    [
      { title = "Database: connections", stat = "Average", period = 60, metrics = [[{ expression = local.database["DatabaseConnections"] }]] },
      { title = "Database: reads and writes per second", stat = "Average", period = 60, metrics = [
        [{ expression = local.database["ReadIOPS"], label = "reads" }],
        [{ expression = local.database["WriteIOPS"], label = "writes" }],
      ] },
      { title = "Database: free storage (bytes)", stat = "Average", period = 60, metrics = [[{ expression = local.database["FreeStorageSpace"] }]] },
    ],
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.prefix}-bua"

  dashboard_body = jsonencode({
    widgets = flatten([
      for y, row in local.rows : [
        for x, widget in row : {
          type   = "metric"
          x      = x * 8
          y      = y * 6
          width  = 8
          height = 6
          properties = {
            title   = widget.title
            region  = var.region
            view    = "timeSeries"
            stat    = widget.stat
            period  = widget.period
            metrics = widget.metrics
          }
        }
      ]
    ])
  })
}
