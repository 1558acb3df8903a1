variable "bucket_name" {
  description = "Bucket of the accrual, for templates, generated NEM12 files and exports; e.g. tst-anstead-s3-bua."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, . and -."
  }
}

variable "integration_bucket_name" {
  description = "Bucket from which finance's systems fetch the exports; e.g. tst-anstead-s3-rw-integration."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.integration_bucket_name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits, . and -."
  }
}

variable "enable_integration_bucket" {
  description = "Whether to create the integration bucket; false if it already exists."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "Key that encrypts both buckets."
  type        = string
}

variable "export_retention_days" {
  description = "Days for which complete exports are kept (export/booked/): seven years by default, as long as the accounts that they support."
  type        = number
  default     = 2557

  validation {
    condition     = var.export_retention_days > 90
    error_message = "export_retention_days must be more than 90: exports move to infrequent access after 90 days."
  }
}

variable "working_file_retention_days" {
  description = "Days for which the files of an export's last attempt are kept (export/csv/). Complete ones are kept in export/booked/ as well."
  type        = number
  default     = 90

  validation {
    condition     = var.working_file_retention_days >= 1
    error_message = "working_file_retention_days must be at least 1."
  }
}

variable "meter_data_retention_days" {
  description = "Days for which generated NEM12 files are kept. A run can generate them again."
  type        = number
  default     = 90

  validation {
    condition     = var.meter_data_retention_days >= 1
    error_message = "meter_data_retention_days must be at least 1."
  }
}

variable "enable_force_destroy" {
  description = "Whether destroying the buckets deletes their contents: for temporary environments."
  type        = bool
  default     = false
}
