variable "name" {
  description = "Name of the function, e.g. tst-anstead-lambda-bua-site-basic."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "A function's name has at most 64 letters, digits, - and _."
  }
}

variable "role_name" {
  description = "Name of the function's role."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role's name has at most 64 characters."
  }
}

variable "description" {
  description = "What the function does."
  type        = string
}

variable "handler" {
  description = "Python path of the handler, e.g. lambdas.site_basic.handler.lambda_handler."
  type        = string
}

variable "zip_file" {
  description = "Path of the zip. It must exist when the function is created; a plan does not need it."
  type        = string
}

variable "code_bucket" {
  description = "Versioned bucket through which the zip goes to Lambda, for one of more than 50 MB; null = with the request. An object, because its name need not be known when a plan is made."
  type        = object({ name = string })
  default     = null
}

variable "runtime" {
  description = "Lambda runtime, e.g. python3.13."
  type        = string

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime must be a Python runtime, e.g. python3.13."
  }
}

variable "architecture" {
  description = "Instruction set: arm64 or x86_64."
  type        = string

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "timeout_seconds" {
  description = "The function's timeout."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "Lambda allows 1 to 900 seconds."
  }
}

variable "memory_mb" {
  description = "Memory in MB. CPU grows with it."
  type        = number

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda allows 128 to 10240 MB."
  }
}

variable "ephemeral_mb" {
  description = "Size of the function's disk, /tmp, in MB."
  type        = number
  default     = 512

  validation {
    condition     = var.ephemeral_mb >= 512 && var.ephemeral_mb <= 10240
    error_message = "Lambda allows 512 to 10240 MB of /tmp."
  }
}

variable "environment" {
  description = "Environment variables. Put no secrets here: functions read passwords from Secrets Manager."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key that encrypts the environment variables, the log group, and what the function reads and writes."
  type        = string
}

variable "key_services" {
  description = "AWS services through which the function uses the key, e.g. sqs, secretsmanager, dynamodb, s3."
  type        = list(string)
  default     = []
}

variable "region" {
  description = "Region of the function, used in its policy."
  type        = string
}

variable "network" {
  description = "Private subnets and security groups, for a function that reaches the database or the cluster; null otherwise."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "statements" {
  description = <<-EOT
    Permissions beyond logging, tracing and the function's own queue. List every action; a statement on resource `*`
    needs a reason.
  EOT
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
    reason = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for s in var.statements : alltrue([for action in s.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))])])
    error_message = "List every action: wildcards are not allowed."
  }

  validation {
    condition     = alltrue([for s in var.statements : !contains(s.resources, "*") || try(length(s.reason) > 10, false)])
    error_message = "A statement on resource * needs a reason of more than 10 characters."
  }
}

variable "event_source" {
  description = <<-EOT
    Queue that invokes the function: its ARN, the messages per invocation, and the maximum number of invocations at once
    (MaximumConcurrency; nothing is reserved). null for a function without a queue.
  EOT
  type = object({
    queue_arn       = string
    batch_size      = number
    max_concurrency = number
  })
  default = null

  validation {
    condition     = var.event_source == null || try(var.event_source.max_concurrency >= 2 && var.event_source.max_concurrency <= 1000, false)
    error_message = "MaximumConcurrency must be 2 to 1000."
  }

  validation {
    condition     = var.event_source == null || try(var.event_source.batch_size >= 1 && var.event_source.batch_size <= 10, false)
    error_message = "batch_size must be 1 to 10; larger batches need a batching window."
  }
}

variable "dead_letter_queue_arn" {
  description = "The queue's dead-letter queue, to which the function may send a failed message with its cause; null if there is none."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days for which the function's log is kept."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs accepts only certain numbers of days, e.g. 30, 90, 365 or 400."
  }
}

variable "log_level" {
  description = "Lowest level that is logged."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  type        = string
}

variable "alarm_errors" {
  description = <<-EOT
    A period of 5 minutes with more errors than this counts towards the alarm; null for no alarm. A controller that waits
    raises NotReady, which Lambda counts as an error. For controllers use the alarm of the state machine.
  EOT
  type        = number
  default     = 0
  nullable    = true

  validation {
    condition     = var.alarm_errors == null || try(var.alarm_errors >= 0, false)
    error_message = "alarm_errors must be 0 or more, or null."
  }
}
