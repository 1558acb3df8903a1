variable "name" {
  description = "Name of the queue, e.g. tst-anstead-sqs-bua-site-basic. The dead-letter queue has the suffix -dlq."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,76}$", var.name))
    error_message = "A queue's name has at most 76 letters, digits, - and _ (80 with -dlq)."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a received message stays hidden: at least as long as the function's time-out; AWS recommends six times."
  type        = number

  validation {
    condition     = var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200
    error_message = "SQS allows 0 to 43200 seconds."
  }
}

variable "max_receive_count" {
  description = "Deliveries of a message before it becomes a dead letter. The functions count with the same number (MAX_RECEIVES in src/shared)."
  type        = number
  default     = 3

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "SQS allows 1 to 1000 receives."
  }
}

variable "retention_seconds" {
  description = "How long a message waits to be received. A run takes hours; four days cover a weekend."
  type        = number
  default     = 345600

  validation {
    condition     = var.retention_seconds >= 60 && var.retention_seconds <= 1209600
    error_message = "SQS keeps messages 60 to 1209600 seconds."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts both queues."
  type        = string

  validation {
    condition     = startswith(var.kms_key_arn, "arn:")
    error_message = "The ARN of a KMS key is needed: SNS cannot deliver to a queue under the default key."
  }
}

variable "topic_arn" {
  description = "SNS topic to which the queue is subscribed; null for a queue to which only functions send."
  type        = string
  default     = null
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms."
  type        = string
}

variable "alarm_age_seconds" {
  description = "Age of the oldest message above which the alarm goes off. A fan-out that takes hours has old messages: choose a much higher value."
  type        = number
  default     = 14400

  validation {
    condition     = var.alarm_age_seconds >= 60
    error_message = "alarm_age_seconds must be at least 60: a lower value would always raise the alarm."
  }
}
