variable "prefix" {
  description = "Prefix of every name, e.g. tst-anstead."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.prefix))
    error_message = "The prefix has lower-case letters, digits and -."
  }
}

variable "account_id" {
  description = "The account that restores."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "source_account_id" {
  description = "The account that shares the snapshot."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.source_account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "Region of the database."
  type        = string
}

variable "source_instance_name" {
  description = "The production instance. Snapshots are named after it and the run date."
  type        = string
}

variable "source_key_arn" {
  description = "The shared key under which the source account re-encrypted the snapshot."
  type        = string

  validation {
    condition     = startswith(var.source_key_arn, "arn:")
    error_message = "source_key_arn must be the ARN of a KMS key in the source account, not its alias."
  }
}

variable "kms_key_arn" {
  description = "This account's own key, for the copy of the snapshot, the restored instance and the secrets."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the restored instance."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the restored instance, in at least two availability zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS needs subnets in two availability zones."
  }
}

variable "client_security_group_ids" {
  description = "Security groups that may connect to the database. The keys are labels."
  type        = map(string)
}

variable "major_version" {
  description = "Production's PostgreSQL major version, for the parameter group's family."
  type        = number
  default     = 17

  validation {
    condition     = var.major_version >= 13 && floor(var.major_version) == var.major_version
    error_message = "major_version must be a major version of PostgreSQL, e.g. 17."
  }
}

variable "parameters" {
  description = "Database parameters beside or instead of the module's own, as RDS writes them: what the platform relies on of production's parameter group."
  type        = map(string)
  default     = {}

  validation {
    condition     = lookup(var.parameters, "rds.force_ssl", "1") == "1"
    error_message = "Connections without TLS stay forbidden."
  }
}

variable "hosted_zone_id" {
  description = "Private hosted zone in which the platform's pods look up the database."
  type        = string
}

variable "dns_name" {
  description = "Name of the database in that zone, e.g. sql.bua.tst.anstead.internal."
  type        = string
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms on the restored instance, which are part of its stack."
  type        = string
}

variable "template_bucket" {
  description = "Bucket from which the restore step reads the CloudFormation template."
  type        = string
}

variable "database_roles" {
  description = "Roles of the restored database. Each gets a password and a secret."
  type        = set(string)
  default     = ["core_admin", "workflow", "meterdata", "lambda"]
}

variable "admin_role" {
  description = "The role that is the instance's master role."
  type        = string
  default     = "core_admin"
}

variable "secret_recovery_days" {
  description = "Days during which a deleted secret can be restored; 0 deletes at once, for temporary environments."
  type        = number
  default     = 7

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days must be 0, or 7 to 30."
  }
}
