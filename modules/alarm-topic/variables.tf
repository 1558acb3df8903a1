variable "prefix" {
  description = "Prefix of the topic's name and of the alarms that may publish to it, e.g. tst-anstead."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.prefix))
    error_message = "The prefix has lower-case letters, digits and -."
  }
}

variable "account_id" {
  description = "The account of the topic and of the alarms."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "Region of the topic and of the alarms."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the topic; its policy must let CloudWatch use it."
  type        = string
}

variable "emails" {
  description = "Mail addresses that are notified of alarms. Each has to confirm its subscription."
  type        = set(string)
  default     = []
}
