variable "name" {
  description = "Name of the machine, e.g. tst-anstead-restore."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,80}$", var.name))
    error_message = "A state machine's name has at most 80 letters, digits, - and _."
  }
}

variable "role_name" {
  description = "Name of the machine's role."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role's name has at most 64 characters."
  }
}

variable "step" {
  description = "The machine's own step, which fills its placeholder step."
  type        = string
}

variable "template_files" {
  description = "Paths of the texts that make up the definition, blocks first: YAML with placeholders in its strings (see the README)."
  type        = list(string)

  validation {
    condition     = can(keys(yamldecode(join("\n", [for path in var.template_files : file(path)]))))
    error_message = "The texts, one after the other, are one YAML document."
  }
}

variable "calls" {
  description = <<-EOT
    What the machine calls, by the key that its placeholder is made of: function ARNs for function_<key>, queues for
    queue_<key> (the URL is filled in, the ARN permitted), machine ARNs for machine_<key>. The role is built from this.
  EOT
  type = object({
    functions = optional(map(string), {})
    queues    = optional(map(object({ url = string, arn = string })), {})
    machines  = optional(map(string), {})
  })
  default = {}
}

variable "values" {
  description = "Other placeholders and their values."
  type        = map(string)
  default     = {}
}

variable "statements" {
  description = "Permissions beyond the machine's calls, for AWS SDK integrations. List every action; a statement on resource `*` needs a reason."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
    reason = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for s in var.statements : alltrue([for action in s.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))])])
    error_message = "List every action: wildcards are not allowed."
  }

  validation {
    condition     = alltrue([for s in var.statements : !contains(s.resources, "*") || try(length(s.reason) > 10, false)])
    error_message = "A statement on resource * needs a reason of more than 10 characters."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the log group and the messages on the queues that the machine sends to."
  type        = string
}

variable "account_id" {
  description = "The machine's account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "The machine's region."
  type        = string
}

variable "log_retention_days" {
  description = "Days for which the machine's log is kept."
  type        = number
  default     = 400

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs accepts only certain numbers of days, e.g. 30, 90, 365 or 400."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic that is notified of failed, timed out and aborted executions."
  type        = string
}
