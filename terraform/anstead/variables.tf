variable "environment" {
  description = "tst or prd; the first part of every name."
  type        = string

  validation {
    condition     = contains(["tst", "prd"], var.environment)
    error_message = "The environments are tst and prd."
  }
}

variable "account_id" {
  description = "ANSTEAD's account number."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "earl_account_id" {
  description = "EARL's account number: the one account that anything is taken from."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.earl_account_id)) && var.earl_account_id != var.account_id
    error_message = "An account number of 12 digits, another than ANSTEAD's."
  }
}

variable "earl_shared_key_arn" {
  description = "Key of the shared snapshots: output shared_key_arn of EARL."
  type        = string
}

variable "earl_production_instance" {
  description = "The production RDS instance; null for <environment>-earl-core."
  type        = string
  default     = null
}

variable "earl_interval_table_name" {
  description = "Production's interval store; null for <environment>-earl-ddb-interval."
  type        = string
  default     = null
}

variable "region" {
  description = "Region of both accounts' resources."
  type        = string
  default     = "ap-southeast-2"
}

variable "time_zone" {
  description = "Time zone that run dates and the deadline are meant in."
  type        = string
  default     = "Australia/Sydney"
}

# --- what exists beforehand

variable "vpc_id" {
  description = "VPC of the functions, the restored database and the cluster."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets in at least two availability zones, with a way out to the AWS APIs (a NAT gateway: Route 53's API has no endpoint)."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "RDS wants subnets in two availability zones."
  }
}

variable "hosted_zone_id" {
  description = "Private hosted zone of `domain`, associated with the VPC."
  type        = string
}

variable "domain" {
  description = "Domain of the hosted zone; the database is sql.bua.<environment>.<domain> there."
  type        = string
  default     = "anstead.internal"
}

variable "cluster_name" {
  description = "EKS cluster of the platform's services, with authentication mode API or API_AND_CONFIG_MAP; null for <environment>-anstead-eks."
  type        = string
  default     = null
}

variable "cluster_security_group_id" {
  description = "The cluster's own security group, which its nodes and its API are in."
  type        = string
}

variable "platform_role_names" {
  description = "Roles of the platform's pods (Pod Identity or IRSA) by service, workflow and meterdata: they get what a run needs."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.platform_role_names), ["workflow", "meterdata"])) == 0
    error_message = "The services are workflow and meterdata."
  }
}

variable "enable_integration_bucket" {
  description = "Whether to create <environment>-anstead-s3-rw-integration; false where it exists."
  type        = bool
  default     = true
}

variable "integration_key_arn" {
  description = "Key that an existing integration bucket encrypts with by default; null where it is the accrual's own bucket, or S3's key."
  type        = string
  default     = null

  validation {
    condition     = var.integration_key_arn == null || !var.enable_integration_bucket
    error_message = "The integration bucket that is created here is under the accrual's own key."
  }
}

variable "enable_interval_table" {
  description = "Whether to create meterdata's interval store; false where the platform brings it."
  type        = bool
  default     = true
}

# --- how much of it

variable "instance_class" {
  description = "Class of the restored database."
  type        = string
  default     = "db.r7g.8xlarge"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "An RDS instance class, e.g. db.r7g.8xlarge."
  }
}

variable "major_version" {
  description = "Production's PostgreSQL major version."
  type        = number
  default     = 17
}

variable "node_instance_types" {
  description = "Instance types of the accrual's nodes."
  type        = list(string)
  default     = ["m7g.xlarge"]
}

variable "concurrency_cap" {
  description = "Upper bound of every queue function's concurrency, for environments smaller than the catalogue assumes."
  type        = number
  default     = 1000

  validation {
    condition     = var.concurrency_cap >= 2 && var.concurrency_cap <= 1000
    error_message = "MaximumConcurrency is 2 to 1000."
  }
}

variable "tick_seconds" {
  description = "Seconds between two looks of the next queue at a fan-out."
  type        = number
  default     = 30

  validation {
    condition     = var.tick_seconds >= 0 && var.tick_seconds <= 900
    error_message = "SQS delays a message by 0 to 900 seconds."
  }
}

variable "most_items_per_message" {
  description = "At most so many work items travel in a message, whatever the catalogue says: 20 spreads hundreds of accounts."
  type        = number
  default     = 1000

  validation {
    condition     = var.most_items_per_message >= 1
    error_message = "A message carries at least one work item."
  }
}

# --- operation

variable "alarm_emails" {
  description = "Who hears of alarms."
  type        = set(string)
  default     = []
}

variable "deadline" {
  description = "When a month's run has to be finished: a cron expression in `time_zone`, on the second or a later day."
  type        = string
  default     = "cron(0 12 2 * ? *)"
}

variable "enable_deadline" {
  description = "Whether the deadline is watched: in environments that run every month."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days that logs are kept: long enough to compare a month end with the year before."
  type        = number
  default     = 400
}

variable "log_level" {
  description = "Least important level that functions log."
  type        = string
  default     = "INFO"
}

variable "enable_protection" {
  description = "Whether what holds data refuses to be deleted; false only for environments that are thrown away."
  type        = bool
  default     = true
}

variable "zip_folder" {
  description = "Where `make package-lambdas` put the functions' zips."
  type        = string
  default     = "../../build/lambdas"
}

variable "sqs_endpoint" {
  description = "Endpoint of SQS in queue URLs; null for the region's own. Only an emulation of AWS has another."
  type        = string
  default     = null
}
