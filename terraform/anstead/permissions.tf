# Permissions of each function. Logging, tracing, its own queue and the network are in modules/lambda-function. A new
# queue-driven function that uses only the database needs no line here; one that calls another service needs a grant.
locals {
  run_executions = [for step in concat(["bua"], local.steps) :
    "arn:aws:states:${var.region}:${var.account_id}:execution:${local.prefix}-${step}:*"
  ]
  # Machines that wait for the task token of a fan-out are those that send to site-initiate's queue.
  fan_out_arns = [for step, machine in local.machines : "${local.machine_arn_prefix}${step}"
    if contains(try(machine.calls.queues, []), "site-initiate")
  ]
  bucket_arn   = module.export_storage.bucket_arn
  outbound_arn = module.export_storage.integration_bucket_arn
  report_files = ["report.html", "report.xlsx", "report.json", "trueup.csv", "journal.csv", "journal_gst_memo.csv"]

  grants = {
    # Every invocation reads the address of the current run's database.
    ledger-read = [
      { sid = "ReadLedger", actions = ["dynamodb:GetItem"], resources = [module.control_store.control_table_arn] },
    ]
    ledger-write = [
      { sid = "WriteLedger", actions = ["dynamodb:UpdateItem"], resources = [module.control_store.control_table_arn] },
    ]
    database       = module.database_restore.connect_statements
    database-admin = module.database_restore.administer_statements
    restore        = module.database_restore.restore_statements
    scale          = module.cluster_scaling.scale_statements

    # To see whether the holder of the lock still runs. Whoever starts an execution chooses its name.
    executions = [
      { sid = "LookAtExecutions", actions = ["states:DescribeExecution"], resources = local.run_executions },
    ]

    # A step deletes a run's old files before it writes new ones. Versions stay: DeleteObject without a version only hides.
    clear-files = [
      {
        sid       = "ListOwnFiles"
        actions   = ["s3:ListBucket"]
        resources = [local.bucket_arn]
        conditions = [
          { test = "StringLike", variable = "s3:prefix", values = ["nem12/*", "export/csv/*"] },
        ]
      },
      {
        sid       = "ListOutbound"
        actions   = ["s3:ListBucket"]
        resources = [local.outbound_arn]
        conditions = [
          { test = "StringLike", variable = "s3:prefix", values = ["ADH/OUTBOUND/BUA/*"] },
        ]
      },
      {
        sid       = "DeleteFiles"
        actions   = ["s3:DeleteObject"]
        resources = ["${local.bucket_arn}/nem12/*", "${local.bucket_arn}/export/csv/*", "${local.outbound_arn}/ADH/OUTBOUND/BUA/*"]
      },
    ]

    copy-outbound = concat(var.integration_key_arn == null ? [] : [
      {
        sid       = "OutboundKey"
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = [var.integration_key_arn]
        conditions = [
          { test = "StringEquals", variable = "kms:ViaService", values = ["s3.${var.region}.amazonaws.com"] },
        ]
      },
      ], [
      {
        sid       = "ListExports"
        actions   = ["s3:ListBucket"]
        resources = [local.bucket_arn]
        conditions = [
          { test = "StringLike", variable = "s3:prefix", values = ["export/csv/*"] },
        ]
      },
      { sid = "ReadExports", actions = ["s3:GetObject"], resources = ["${local.bucket_arn}/export/csv/*"] },
      {
        # AbortMultipartUpload is called only when a copy of a large file fails half way.
        sid       = "WriteOutbound"
        actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        resources = ["${local.outbound_arn}/ADH/OUTBOUND/BUA/*"]
      },
    ])

    write-exports = [
      {
        sid       = "WriteExports"
        actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        resources = ["${local.bucket_arn}/export/csv/*"]
      },
    ]
    # What is kept can be added to and read; no function may delete there.
    keep-exports = [
      {
        sid       = "ListKept"
        actions   = ["s3:ListBucket"]
        resources = [local.bucket_arn]
        conditions = [
          { test = "StringLike", variable = "s3:prefix", values = ["export/booked/*"] },
        ]
      },
      {
        sid       = "ReadKept"
        actions   = ["s3:GetObject"]
        resources = ["${local.bucket_arn}/export/booked/*/control.json", "${local.bucket_arn}/export/booked/*/latest.json"]
      },
      {
        sid       = "KeepExports"
        actions   = ["s3:PutObject", "s3:PutObjectRetention", "s3:AbortMultipartUpload"]
        resources = ["${local.bucket_arn}/export/booked/*"]
      },
    ]
    # The report reads a kept export and the one before, and is put beside the files, here and where finance fetches them.
    report = concat(var.integration_key_arn == null ? [] : [
      {
        sid       = "OutboundKey"
        actions   = ["kms:GenerateDataKey"]
        resources = [var.integration_key_arn]
        conditions = [
          { test = "StringEquals", variable = "kms:ViaService", values = ["s3.${var.region}.amazonaws.com"] },
        ]
      },
      ], [
      {
        sid       = "ListKept"
        actions   = ["s3:ListBucket"]
        resources = [local.bucket_arn]
        conditions = [
          { test = "StringLike", variable = "s3:prefix", values = ["export/booked/*", "finance/finance.yaml"] },
        ]
      },
      {
        sid       = "ReadKept"
        actions   = ["s3:GetObject"]
        resources = ["${local.bucket_arn}/export/booked/*", "${local.bucket_arn}/finance/finance.yaml"]
      },
      {
        sid       = "KeepReport"
        actions   = ["s3:PutObject", "s3:PutObjectRetention", "s3:AbortMultipartUpload"]
        resources = [for name in local.report_files : "${local.bucket_arn}/export/booked/*/${name}"]
      },
      {
        sid       = "HandReportOver"
        actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        resources = [for name in local.report_files : "${local.outbound_arn}/ADH/OUTBOUND/BUA/${name}"]
      },
    ])
    tell-finance = [
      { sid = "TellFinance", actions = ["sns:Publish"], resources = [aws_sns_topic.report.arn] },
    ]
    write-control = [
      { sid = "WriteControl", actions = ["s3:PutObject"], resources = ["${local.bucket_arn}/export/csv/*/control.json"] },
    ]
    write-meter-data = [
      { sid = "WriteMeterData", actions = ["s3:PutObject"], resources = ["${local.bucket_arn}/nem12/*"] },
    ]
    # The run's own table, or, where there is no export, production's.
    read-intervals = [
      { sid = "ReadRunsIntervals", actions = ["dynamodb:Query"], resources = [local.run_tables_arn] },
      { sid = "ReadEarlsIntervals", actions = ["sts:AssumeRole"], resources = [local.interval_role_arn] },
    ]
    # DynamoDB imports with the function's identity: what it asks for is listed at
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Requesting.html
    import-intervals = [
      { sid = "LookAtExport", actions = ["sts:AssumeRole"], resources = [local.export_role_arn] },
      {
        sid       = "ImportIntervals"
        actions   = ["dynamodb:ImportTable", "dynamodb:DescribeTable", "dynamodb:DeleteTable"]
        resources = [local.run_tables_arn]
      },
      { sid = "LookAtImport", actions = ["dynamodb:DescribeImport"], resources = ["${local.run_tables_arn}/import/*"] },
      { sid = "ListExport", actions = ["s3:ListBucket"], resources = [local.export_bucket_arn] },
      { sid = "ReadExport", actions = ["s3:GetObject"], resources = ["${local.export_bucket_arn}/*"] },
      {
        sid       = "DecryptExport"
        actions   = ["kms:Decrypt"]
        resources = [var.earl_shared_key_arn]
        conditions = [
          { test = "StringEquals", variable = "kms:ViaService", values = ["s3.${var.region}.amazonaws.com"] },
        ]
      },
      {
        # What a table under a customer's key needs beside kms:Decrypt and kms:GenerateDataKey, which the module grants.
        sid       = "EncryptRunsTable"
        actions   = ["kms:DescribeKey", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        resources = [module.encryption_key.arn]
        conditions = [
          { test = "StringEquals", variable = "kms:ViaService", values = ["dynamodb.${var.region}.amazonaws.com"] },
        ]
      },
      {
        sid       = "LetDynamoDbUseKey"
        actions   = ["kms:CreateGrant"]
        resources = [module.encryption_key.arn]
        conditions = [
          { test = "StringEquals", variable = "kms:ViaService", values = ["dynamodb.${var.region}.amazonaws.com"] },
          { test = "Bool", variable = "kms:GrantIsForAWSResource", values = ["true"] },
        ]
      },
      {
        sid = "LogImportErrors"
        actions = [
          "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
          "logs:PutRetentionPolicy",
        ]
        resources = ["arn:aws:logs:${var.region}:${var.account_id}:log-group:/aws-dynamodb/*"]
      },
    ]
    # What meterdata loaded for a run is of no use after it.
    empty-intervals = [
      {
        sid       = "EmptyGeneratedIntervals"
        actions   = ["dynamodb:Scan", "dynamodb:BatchWriteItem"]
        resources = ["arn:aws:dynamodb:${var.region}:${var.account_id}:table/${local.interval_table}"]
      },
    ]
    start-run = [
      { sid = "StartRun", actions = ["states:StartExecution"], resources = ["${local.machine_arn_prefix}bua"] },
    ]

    # A task token belongs to an execution, and IAM checks the machine of that execution.
    keep-alive = [
      { sid = "KeepTaskAlive", actions = ["states:SendTaskHeartbeat"], resources = local.fan_out_arns },
    ]
    fail-task = [
      { sid = "FailTask", actions = ["states:SendTaskFailure"], resources = local.fan_out_arns },
    ]
    complete-task = [
      { sid = "CompleteTask", actions = ["states:SendTaskSuccess"], resources = local.fan_out_arns },
    ]
    enqueue = [
      {
        sid       = "EnqueueWork"
        actions   = ["sqs:SendMessage"]
        resources = concat([for key in local.workers : module.queue[key].arn], [module.queue["site-initiate"].arn, module.queue["next"].arn])
      },
    ]
    tick = [
      { sid = "TickAgain", actions = ["sqs:SendMessage"], resources = [module.queue["next"].arn] },
      { sid = "SendItemsAgain", actions = ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources = [for key in local.workers : module.queue[key].arn] },
      {
        sid       = "TakeDeadLettersIn"
        actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
        resources = [for key in local.workers : module.queue[key].dead_letter_arn]
      },
    ]
  }

  function_grants = {
    controller-fast = ["ledger-write", "database-admin", "restore", "scale", "executions", "clear-files"]
    controller-slow = ["ledger-write", "database-admin", "copy-outbound", "write-control", "keep-exports", "tell-finance", "import-intervals", "empty-intervals"]
    next            = ["ledger-write", "keep-alive", "fail-task", "complete-task", "tick"]
    notify          = ["start-run"]
    report          = ["report", "tell-finance"]
    site-initiate   = ["keep-alive", "fail-task", "enqueue"]
    site-data       = ["read-intervals"]
    site-export     = ["write-exports"]
    site-nem12      = ["write-meter-data"]
  }

  statements = { for key, function in local.functions : key => flatten([
    for grant in concat(contains(function.requirements, "database") ? ["ledger-read", "database"] : [], lookup(local.function_grants, key, [])) :
    local.grants[grant]
  ]) }

  # Services through which a function uses the account's key: those in its grants that store something encrypted.
  key_services = { for key, function in local.functions : key => concat(
    contains(function.requirements, "database") ? ["dynamodb", "secretsmanager"] : [],
    contains(keys(local.queue_functions), key) ? ["sqs"] : [],
    length(setintersection(lookup(local.function_grants, key, []), ["restore", "copy-outbound", "write-exports", "write-meter-data", "report"])) > 0 ? ["s3"] : [],
    contains(lookup(local.function_grants, key, []), "tell-finance") ? ["sns"] : [],
  ) }
}
