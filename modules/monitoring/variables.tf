variable "prefix" {
  description = "Prefix of every name, e.g. tst-anstead."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.prefix))
    error_message = "The prefix has lower-case letters, digits and -."
  }
}

variable "account_id" {
  description = "The monitored account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "The monitored region."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts logs; its policy lets CloudWatch publish to the encrypted topic."
  type        = string
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  type        = string
}

variable "state_machines" {
  description = "State machines in the order of the pipeline: step and ARN."
  type = list(object({
    step = string
    arn  = string
  }))

  validation {
    condition     = length(var.state_machines) > 0
    error_message = "Give at least one state machine."
  }
}

variable "function_names" {
  description = "Functions to show."
  type        = list(string)
}

variable "queue_names" {
  description = "Queues to show; each has a dead-letter queue called <name>-dlq."
  type        = list(string)
}

variable "node_group_asg" {
  description = "Auto Scaling group of the nodes that a run scales."
  type        = string
}

variable "control_table_name" {
  description = "The run ledger's table, which the deadline check reads."
  type        = string
}

variable "control_table_arn" {
  description = "ARN of the run ledger's table."
  type        = string
}

variable "deadline" {
  description = <<-EOT
    When the month's run must have finished: an EventBridge Scheduler cron expression in `time_zone`, on the second or a
    later day, so that its UTC date is in the same month everywhere.
  EOT
  type        = string
  default     = "cron(0 12 2 * ? *)"

  validation {
    condition     = can(regex("^cron\\([0-9]+ [0-9]+ ([2-9]|[12][0-9]) \\S+ \\? \\*\\)$", var.deadline))
    error_message = "deadline must be a monthly cron expression on a day from 2 to 29, e.g. cron(0 12 2 * ? *)."
  }
}

variable "enable_deadline" {
  description = "Whether the deadline is checked: true in environments that run every month."
  type        = bool
  default     = true
}

variable "time_zone" {
  description = "Time zone of the deadline, by its name in the tz database."
  type        = string
  default     = "Australia/Sydney"
}
