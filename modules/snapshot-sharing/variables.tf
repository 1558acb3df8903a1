variable "prefix" {
  description = "Prefix of every name, e.g. tst-earl."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.prefix))
    error_message = "The prefix has lower-case letters, digits and -."
  }
}

variable "account_id" {
  description = "The production account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "accrual_account_id" {
  description = "The one account that snapshots are shared with."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.accrual_account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "Region of the production database."
  type        = string
}

variable "production_instance" {
  description = "The production RDS instance, e.g. tst-earl-core."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.production_instance))
    error_message = "An RDS identifier."
  }
}

variable "production_key_arn" {
  description = "Key that the production database is encrypted with."
  type        = string

  validation {
    condition     = startswith(var.production_key_arn, "arn:")
    error_message = "The ARN of a KMS key."
  }
}

variable "interval_table_name" {
  description = "Production's interval store, which the accrual reads."
  type        = string
}

variable "interval_table_key_arn" {
  description = "Key of the interval store's table; null where it is encrypted with DynamoDB's own."
  type        = string
  default     = null
}

variable "reader_role_arns" {
  description = "Roles of the accrual's account that may read the interval store; they need not exist yet."
  type        = list(string)

  validation {
    condition     = length(var.reader_role_arns) > 0 && alltrue([for arn in var.reader_role_arns : can(regex("^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "At least one role, each by its full ARN."
  }
}

variable "notification_queue_arn" {
  description = "The queue in the accrual's account that may subscribe to the topic."
  type        = string

  validation {
    condition     = startswith(var.notification_queue_arn, "arn:aws:sqs:")
    error_message = "The ARN of a queue."
  }
}

variable "template_files" {
  description = "Definition of the state machine: statemachines/blocks.yaml and NN-snapshot.asl.yaml."
  type        = list(string)
}

variable "placeholders" {
  description = "The values that the catalogue says the machine's template uses."
  type        = list(string)
}

variable "schedule" {
  description = "When the snapshot is taken, in `time_zone`; the state machine's run date is the local date of a midnight."
  type        = string
  default     = "cron(0 0 1 * ? *)"

  validation {
    condition     = can(regex("^cron\\(.+\\)$", var.schedule))
    error_message = "An EventBridge Scheduler cron expression."
  }
}

variable "time_zone" {
  description = "Time zone of the schedule, by its name in the tz database."
  type        = string
  default     = "Australia/Sydney"

  validation {
    condition     = can(regex("^[A-Z][A-Za-z_]+(/[A-Za-z_-]+)*$", var.time_zone))
    error_message = "A name of the tz database, e.g. Australia/Sydney."
  }
}

variable "enable_schedule" {
  description = "Whether the schedule is switched on."
  type        = bool
  default     = true
}

variable "snapshots_kept" {
  description = "Months whose snapshots are kept, the current one included; each costs a full copy of production."
  type        = number
  default     = 3

  validation {
    condition     = var.snapshots_kept >= 1 && floor(var.snapshots_kept) == var.snapshots_kept
    error_message = "A number of months, at least 1: the current run's snapshot is needed."
  }
}

variable "log_retention_days" {
  description = "Days that the state machine's log is kept."
  type        = number
  default     = 400
}

variable "alarm_emails" {
  description = "Who hears of a snapshot that failed."
  type        = set(string)
  default     = []
}
