variable "control_table_name" {
  description = "Name of the run ledger's table, e.g. tst-anstead-ddb-bua."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.control_table_name))
    error_message = "A table's name has 3 to 255 letters, digits, _, . and -."
  }
}

variable "interval_table_name" {
  description = "Name of meterdata's interval store in this account; null if the platform provides it."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that encrypts the tables."
  type        = string
}

variable "enable_deletion_protection" {
  description = "Whether DynamoDB refuses to delete the ledger. The interval store contains only estimates of runs and is never protected."
  type        = bool
  default     = true
}
