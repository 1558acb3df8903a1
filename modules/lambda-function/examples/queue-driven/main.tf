# A queue-driven function with its key, queue and alarms, to try in your own account: `make package-lambdas`, then
# `terraform init` and `terraform apply` in this folder. It runs notify's code without its environment variables, so every
# message fails. The log says why, three times. Then the message becomes a dead letter, and the alarm goes off.
variable "region" {
  description = "Region in which to try it."
  type        = string
  default     = "ap-southeast-2"
}

variable "zip_file" {
  description = "Path of a function's zip."
  type        = string
  default     = "../../../../build/lambdas/lambda-bua-notify.zip"
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

module "key" {
  source = "../../../encryption-key"

  alias                = "example-queue-driven"
  description          = "Example of a queue-driven function"
  account_id           = data.aws_caller_identity.current.account_id
  region               = var.region
  log_group_prefixes   = ["/aws/lambda/example-queue-driven"]
  service_sources      = { "cloudwatch.amazonaws.com" = ["arn:aws:cloudwatch:${var.region}:${data.aws_caller_identity.current.account_id}:alarm:example-*"] }
  deletion_window_days = 7
}

module "alarm_topic" {
  source = "../../../alarm-topic"

  prefix      = "example"
  account_id  = data.aws_caller_identity.current.account_id
  region      = var.region
  kms_key_arn = module.key.arn
}

module "queue" {
  source = "../../../work-queue"

  name                       = "example-queue-driven"
  visibility_timeout_seconds = 6 * 60
  kms_key_arn                = module.key.arn
  alarm_topic_arn            = module.alarm_topic.arn
}

module "function" {
  source = "../.."

  name            = "example-queue-driven"
  role_name       = "example-queue-driven"
  description     = "Example of a queue-driven function"
  handler         = "lambdas.notify.handler.lambda_handler"
  zip_file        = var.zip_file
  runtime         = "python3.13"
  architecture    = "arm64"
  timeout_seconds = 60
  memory_mb       = 256
  region          = var.region
  kms_key_arn     = module.key.arn
  key_services    = ["sqs"]
  alarm_topic_arn = module.alarm_topic.arn
  event_source    = { queue_arn = module.queue.arn, batch_size = 1, max_concurrency = 2 }
}

output "queue_url" {
  description = "Where to send a message: aws sqs send-message --queue-url ... --message-body '{}'"
  value       = module.queue.url
}
