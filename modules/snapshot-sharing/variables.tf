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
    error_message = "production_instance must be an RDS identifier."
  }
}

variable "production_key_arn" {
  description = "Key that the production database is encrypted with."
  type        = string

  validation {
    condition     = startswith(var.production_key_arn, "arn:")
    error_message = "production_key_arn must be the ARN of a KMS key."
  }
}

variable "interval_table_name" {
  description = "Production's interval store, which the accrual works on."
  type        = string
}

variable "interval_table_key_arn" {
  description = "Key of the interval store's table; null if it is encrypted with DynamoDB's own key."
  type        = string
  default     = null
}

variable "copier_role_arn" {
  description = "The one role of the accrual's account that may copy shared snapshots; it does not have to exist yet."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*?]+$", var.copier_role_arn))
    error_message = "copier_role_arn must be the ARN of one role: not an account, and without wildcards."
  }
}

variable "importer_role_arn" {
  description = "The one role of the accrual's account that may read exports of the interval store; it does not have to exist yet."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*?]+$", var.importer_role_arn))
    error_message = "importer_role_arn must be the ARN of one role: not an account, and without wildcards."
  }
}

variable "interval_export_days" {
  description = "Days for which exports of the interval store are kept: as long as the months of `snapshots_kept` can be run again."
  type        = number
  default     = 95

  validation {
    condition     = var.interval_export_days >= 7
    error_message = "interval_export_days must be at least 7: the current run needs its export."
  }
}

variable "reader_role_arns" {
  description = "Roles of the accrual's account that may read the interval store; they do not have to exist yet."
  type        = list(string)

  validation {
    condition     = length(var.reader_role_arns) > 0 && alltrue([for arn in var.reader_role_arns : can(regex("^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "Give at least one role, each as a full ARN."
  }
}

variable "notification_queue_arn" {
  description = "The queue in the accrual's account that may subscribe to the topic."
  type        = string

  validation {
    condition     = startswith(var.notification_queue_arn, "arn:aws:sqs:")
    error_message = "notification_queue_arn must be the ARN of a queue."
  }
}

variable "template_files" {
  description = "Definition of the state machine: statemachines/blocks.yaml and NN-snapshot.asl.yaml."
  type        = list(string)
}

variable "placeholders" {
  description = "The placeholders that the catalogue declares for the machine's template."
  type        = list(string)
}

variable "schedule" {
  description = "When the snapshot is taken, in `time_zone`; the local date at that time is the run date."
  type        = string
  default     = "cron(0 0 1 * ? *)"
}

variable "time_zone" {
  description = "Time zone of the schedule, by its name in the tz database."
  type        = string
  default     = "Australia/Sydney"
}

variable "enable_schedule" {
  description = "Whether the schedule is enabled."
  type        = bool
  default     = true
}

variable "snapshots_kept" {
  description = "Number of months whose snapshots are kept, the current one included. Each costs a full copy of production."
  type        = number
  default     = 3

  validation {
    condition     = var.snapshots_kept >= 1 && floor(var.snapshots_kept) == var.snapshots_kept
    error_message = "snapshots_kept must be at least 1: the current run needs its snapshot."
  }
}

variable "log_retention_days" {
  description = "Days for which the state machine's log is kept."
  type        = number
  default     = 400
}

variable "alarm_emails" {
  description = "Mail addresses that are notified when a snapshot fails."
  type        = set(string)
  default     = []
}
