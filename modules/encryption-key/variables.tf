variable "alias" {
  description = "Alias of the key without `alias/`, e.g. tst-anstead-kms-bua."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.alias)) && !startswith(var.alias, "alias/")
    error_message = "The alias consists of letters, digits, /, _ and -, without the leading alias/."
  }
}

variable "description" {
  description = "What the key is for."
  type        = string
}

variable "account_id" {
  description = "The account that owns the key."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "The key's region."
  type        = string
}

variable "log_group_prefixes" {
  description = "CloudWatch Logs may use the key for log groups whose name starts with one of these."
  type        = list(string)
  default     = []
}

variable "service_sources" {
  description = <<-EOT
    AWS services that use the key themselves, e.g. SNS when it delivers to an encrypted queue: the service's principal,
    and the ARNs (wildcards allowed) on whose behalf it uses the key.
  EOT
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for principal, sources in var.service_sources : endswith(principal, ".amazonaws.com") && length(sources) > 0])
    error_message = "Each key is a service principal such as sns.amazonaws.com, with at least one source ARN."
  }
}

variable "deletion_window_days" {
  description = "Days during which a deleted key can be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days must be 7 to 30, says AWS."
  }
}
