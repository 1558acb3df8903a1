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
  description = "EARL's account number: the only account whose data is read."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.earl_account_id)) && var.earl_account_id != var.account_id
    error_message = "earl_account_id must have 12 digits and differ from ANSTEAD's account number."
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
  description = "Time zone of run dates and of the deadline."
  type        = string
  default     = "Australia/Sydney"
}

# --- what must already exist

variable "vpc_id" {
  description = "VPC of the functions, the restored database and the cluster."
  type        = string
}

variable "private_subnet_ids" {
  description = "Private subnets in at least two availability zones, with access to the AWS APIs through a NAT gateway (Route 53's API has no endpoint)."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "RDS needs subnets in two availability zones."
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
  description = "The cluster's own security group, which contains its nodes and its API."
  type        = string
}

variable "platform_role_names" {
  description = "Roles of the platform's pods (Pod Identity or IRSA), by service: workflow and meterdata. They get the permissions that a run needs."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.platform_role_names), ["workflow", "meterdata"])) == 0
    error_message = "The keys must be workflow or meterdata."
  }
}

variable "enable_integration_bucket" {
  description = "Whether to create <environment>-anstead-s3-rw-integration; false if it exists."
  type        = bool
  default     = true
}

variable "integration_key_arn" {
  description = "Default encryption key of an existing integration bucket; null if the bucket is created here or uses S3's key."
  type        = string
  default     = null

  validation {
    condition     = var.integration_key_arn == null || !var.enable_integration_bucket
    error_message = "Leave integration_key_arn null: an integration bucket that is created here uses the accrual's own key."
  }
}

variable "enable_interval_table" {
  description = "Whether to create meterdata's interval store; false if the platform provides it."
  type        = bool
  default     = true
}

# --- size

variable "instance_class" {
  description = "Class of the restored database."
  type        = string
  default     = "db.r7g.8xlarge"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class must be an RDS instance class, e.g. db.r7g.8xlarge."
  }
}

variable "allocated_storage_gb" {
  description = "Disk of the restored database in GB. It holds production's data and what a run adds; never less than the snapshot's. 0 for as much as the snapshot's."
  type        = number
  default     = 2400

  validation {
    condition     = var.allocated_storage_gb == 0 || (var.allocated_storage_gb >= 20 && var.allocated_storage_gb <= 65536)
    error_message = "RDS has gp3 disks of 20 to 65,536 GB."
  }
}

variable "iops" {
  description = "IOPS of the disk; 0 for gp3's own, 12,000 from 400 GB on and 3,000 below."
  type        = number
  default     = 20000

  validation {
    condition     = var.iops == 0 || (var.iops >= 12000 && var.iops <= 64000 && var.allocated_storage_gb >= 400)
    error_message = "From 400 GB on gp3 takes 12,000 to 64,000 IOPS; a smaller disk has 3,000 (iops = 0)."
  }
}

variable "storage_throughput" {
  description = "Throughput of the disk in MiB/s; 0 for gp3's own, 500 from 400 GB on and 125 below."
  type        = number
  default     = 1000

  validation {
    condition     = var.storage_throughput == 0 || (var.storage_throughput >= 500 && var.storage_throughput <= 4000 && var.allocated_storage_gb >= 400 && var.storage_throughput <= max(var.iops, 12000) / 4)
    error_message = "From 400 GB on gp3 takes 500 to 4,000 MiB/s, a quarter of the IOPS at most; a smaller disk has 125 (storage_throughput = 0)."
  }
}

variable "parameters" {
  description = "Database parameters beside or instead of those of modules/database-restore: what the platform relies on of production's own parameter group, e.g. shared_preload_libraries or search_path."
  type        = map(string)
  default     = {}
}

variable "major_version" {
  description = "Production's PostgreSQL major version."
  type        = number
  default     = 17
}

variable "node_architecture" {
  description = "Processor architecture of the platform's images, and so of the accrual's nodes: arm64 or x86_64."
  type        = string
  default     = "arm64"
}

variable "node_instance_types" {
  description = "Instance types of the accrual's nodes; null for m7g.xlarge or m7i.xlarge, as the architecture demands."
  type        = list(string)
  default     = null
}

variable "concurrency_cap" {
  description = "Upper limit of the concurrency of every function with a queue, for environments smaller than the catalogue assumes."
  type        = number
  default     = 1000

  validation {
    condition     = var.concurrency_cap >= 2 && var.concurrency_cap <= 1000
    error_message = "MaximumConcurrency must be 2 to 1000."
  }
}

variable "run_interval_read_units_per_second" {
  description = "Read units a second that a run takes of its own table of interval reads, all functions together: what the quota lets an on-demand table give, 40,000 by default. 0 for no limit: all 800 functions ask at once, and are throttled by the table."
  type        = number
  default     = 40000

  validation {
    condition     = var.run_interval_read_units_per_second == 0 || var.run_interval_read_units_per_second >= 4000
    error_message = "With fewer than 4,000 read units a second the interval reads of a month take longer than three hours."
  }
}

variable "interval_read_units_per_second" {
  description = "Read units a second that a run may take of production's interval store where there is no export, all functions together; production shares the table. An on-demand table has 40,000 by default, and throttles above double its earlier peak. 0 for no limit."
  type        = number
  default     = 20000

  validation {
    condition     = var.interval_read_units_per_second == 0 || var.interval_read_units_per_second >= 2000
    error_message = "With fewer than 2,000 read units a second the interval reads of a month take longer than six hours."
  }
}

variable "tick_seconds" {
  description = "Seconds between two ticks of a fan-out's clock (the function next)."
  type        = number
  default     = 30

  validation {
    condition     = var.tick_seconds >= 0 && var.tick_seconds <= 900
    error_message = "SQS delays a message by 0 to 900 seconds."
  }
}

variable "most_timeout_seconds" {
  description = "Upper limit of the time-outs of functions with a queue, below what the catalogue says, for environments with small messages: a worker that was lost is missed when its time-out has passed."
  type        = number
  default     = 900

  validation {
    condition     = var.most_timeout_seconds >= 60 && var.most_timeout_seconds <= 900
    error_message = "most_timeout_seconds must be 60 to 900."
  }
}

variable "most_items_per_message" {
  description = "Upper limit of the work items per message, below what the catalogue says. 20 spreads a few hundred accounts over many functions."
  type        = number
  default     = 1000

  validation {
    condition     = var.most_items_per_message >= 1
    error_message = "most_items_per_message must be at least 1."
  }
}

# --- operation

variable "alarm_emails" {
  description = "Mail addresses that are notified of alarms."
  type        = set(string)
  default     = []
}

variable "finance_emails" {
  description = "Mail addresses that are told of a month's report. Each has to confirm its subscription."
  type        = set(string)
  default     = []
}

variable "deadline" {
  description = "When the month's run must have finished: a cron expression in `time_zone`, on the second or a later day."
  type        = string
  default     = "cron(0 12 2 * ? *)"
}

variable "enable_deadline" {
  description = "Whether the deadline is checked: true in environments that run every month."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days for which logs are kept: long enough to compare a month end with the year before."
  type        = number
  default     = 400
}

variable "log_level" {
  description = "Lowest level that functions log."
  type        = string
  default     = "INFO"
}

variable "enable_protection" {
  description = "Whether resources with data are protected from deletion; false only for temporary environments, or before they are removed."
  type        = bool
  default     = true
}

variable "zip_folder" {
  description = "Folder with the zips that `make package-lambdas` built."
  type        = string
  default     = "../../build/lambdas"
}

variable "sqs_endpoint" {
  description = "Endpoint of SQS in queue URLs; null for the region's own. Only an emulated AWS needs another."
  type        = string
  default     = null
}
