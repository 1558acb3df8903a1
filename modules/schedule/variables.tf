variable "name" {
  description = "Name of the schedule, e.g. tst-earl-bua-snapshot."
  type        = string
}

variable "description" {
  description = "What the schedule is for."
  type        = string
}

variable "role_name" {
  description = "Name of the schedule's role."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role's name has at most 64 characters."
  }
}

variable "machine_arn" {
  description = "State machine that the schedule starts."
  type        = string
}

variable "schedule" {
  description = "When it starts, in `time_zone`: an EventBridge Scheduler cron expression."
  type        = string

  validation {
    condition     = can(regex("^cron\\(.+\\)$", var.schedule))
    error_message = "schedule must be an EventBridge Scheduler cron expression."
  }
}

variable "time_zone" {
  description = "Time zone of the schedule, by its name in the tz database."
  type        = string

  validation {
    condition     = can(regex("^[A-Z][A-Za-z_]+(/[A-Za-z_-]+)*$", var.time_zone))
    error_message = "time_zone must be a name of the tz database, e.g. Australia/Sydney."
  }
}

variable "enable_schedule" {
  description = "Whether the schedule is enabled."
  type        = bool
  default     = true
}

variable "retry" {
  description = "For how many seconds, and how many times at most, a failed start is retried."
  type        = object({ seconds = number, attempts = number })
  default     = { seconds = 86400, attempts = 185 } # Scheduler's own
}

variable "missed_queue_arn" {
  description = "Queue for starts that failed for good; null if they are dropped."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that encrypts the schedule's input and the queue; null for Scheduler's own. Its policy must let Scheduler use it."
  type        = string
  default     = null
}

variable "account_id" {
  description = "The schedule's account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}
