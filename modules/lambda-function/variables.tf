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
  description = "Path of the zip. It has to exist when the function is created, not when a plan is made."
  type        = string
}

variable "runtime" {
  description = "Lambda runtime, e.g. python3.13."
  type        = string

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "The functions are Python."
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
  description = "The function's limit."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "Lambda allows 1 to 900 seconds."
  }
}

variable "memory_mb" {
  description = "Memory in MB; CPU follows it."
  type        = number

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda allows 128 to 10240 MB."
  }
}

variable "environment" {
  description = "Environment variables. Nothing secret: passwords are read from Secrets Manager."
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
  description = "Region of the function, for the services' names in its policy."
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
    What the function may do beyond logging, tracing and its own queue. Actions are spelt out; `*` as a resource needs a
    reason, for the reader of the policy.
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
    error_message = "Actions are spelt out, without wildcards."
  }

  validation {
    condition     = alltrue([for s in var.statements : !contains(s.resources, "*") || try(length(s.reason) > 10, false)])
    error_message = "A statement on resource * needs a reason."
  }
}

variable "event_source" {
  description = <<-EOT
    Queue that drives the function: its ARN, the messages per invocation, and how many invocations at once (MaximumConcurrency;
    nothing is reserved). null for a function that is called.
  EOT
  type = object({
    queue_arn       = string
    batch_size      = number
    max_concurrency = number
  })
  default = null

  validation {
    condition     = var.event_source == null || try(var.event_source.max_concurrency >= 2 && var.event_source.max_concurrency <= 1000, false)
    error_message = "MaximumConcurrency is 2 to 1000."
  }

  validation {
    condition     = var.event_source == null || try(var.event_source.batch_size >= 1 && var.event_source.batch_size <= 10, false)
    error_message = "A batch is 1 to 10 messages; larger ones need a batching window."
  }
}

variable "dead_letter_queue_arn" {
  description = "The event source's dead-letter queue, onto which the function may put a message with its cause; null without one."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that the function's log is kept."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs knows certain numbers of days only."
  }
}

variable "log_level" {
  description = "Least important level that is logged."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "A level of Python's logging."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  type        = string
}

variable "alarm_errors" {
  description = <<-EOT
    Errors in 5 minutes above which a period counts towards the alarm; null for no alarm. A controller that waits raises
    NotReady, which Lambda's metrics count as an error: its alarm is the state machine's.
  EOT
  type        = number
  default     = 0
  nullable    = true

  validation {
    condition     = var.alarm_errors == null || try(var.alarm_errors >= 0, false)
    error_message = "A number of errors, 0 or more."
  }
}
