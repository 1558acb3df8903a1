variable "environment" {
  description = "tst or prd; the first part of every name."
  type        = string

  validation {
    condition     = contains(["tst", "prd"], var.environment)
    error_message = "The environments are tst and prd."
  }
}

variable "account_id" {
  description = "EARL's account number."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "anstead_account_id" {
  description = "ANSTEAD's account number: the only account with which anything is shared."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.anstead_account_id)) && var.anstead_account_id != var.account_id
    error_message = "anstead_account_id must have 12 digits and differ from EARL's account number."
  }
}

variable "region" {
  description = "Region of both accounts' resources: snapshots are not copied across regions."
  type        = string
  default     = "ap-southeast-2"
}

variable "time_zone" {
  description = "Time zone in whose midnight the snapshot is taken."
  type        = string
  default     = "Australia/Sydney"
}

variable "production_instance" {
  description = "The production RDS instance; null for <environment>-earl-core."
  type        = string
  default     = null
}

variable "production_key_arn" {
  description = "Key that the production database is encrypted with."
  type        = string
}

variable "interval_table_name" {
  description = "Production's interval store, meterdata's table; null for <environment>-earl-ddb-interval."
  type        = string
  default     = null
}

variable "interval_table_key_arn" {
  description = "Key of the interval store's table; null if it is encrypted with DynamoDB's own key."
  type        = string
  default     = null
}

variable "enable_schedule" {
  description = "Whether a run starts automatically on the first of every month."
  type        = bool
  default     = true
}

variable "snapshots_kept" {
  description = "Number of months whose snapshots are kept, the current one included. Each costs a full copy of production."
  type        = number
  default     = 3
}

variable "interval_export_days" {
  description = "Days for which exports of the interval store are kept: as long as the months of `snapshots_kept` can be run again."
  type        = number
  default     = 95
}

variable "alarm_emails" {
  description = "Mail addresses that are notified when a snapshot fails."
  type        = set(string)
  default     = []
}
