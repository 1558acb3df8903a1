terraform {
  # use_lockfile: locking in the state's own bucket, without a table
  required_version = ">= 1.11"

  # Bucket, key and region come from <environment>.s3.tfbackend.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      application = "bottom-up-accruals"
      environment = var.environment
      managed-by  = "terraform"
    }
  }
}
