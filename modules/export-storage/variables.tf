variable "bucket_name" {
  description = "Bucket of the accrual: templates, generated meter data files, exports; e.g. tst-anstead-s3-bua."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, . and -."
  }
}

variable "integration_bucket_name" {
  description = "Bucket that finance's systems fetch the exports from; e.g. tst-anstead-s3-rw-integration."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.integration_bucket_name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, . and -."
  }
}

variable "enable_integration_bucket" {
  description = "Whether to create the integration bucket; false where it exists already and others own it."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "Key that encrypts both buckets."
  type        = string
}

variable "export_retention_days" {
  description = "Days that exports are kept: seven years by default, as long as the books that they explain."
  type        = number
  default     = 2557

  validation {
    condition     = var.export_retention_days > 90
    error_message = "Exports move to infrequent access after 90 days, so they are kept longer than that."
  }
}

variable "meter_data_retention_days" {
  description = "Days that generated meter data files are kept. A run can make them again."
  type        = number
  default     = 90

  validation {
    condition     = var.meter_data_retention_days >= 1
    error_message = "At least a day."
  }
}

variable "enable_force_destroy" {
  description = "Whether destroying the buckets deletes what is in them: for environments that are thrown away."
  type        = bool
  default     = false
}
