mock_provider "aws" {
  source = "../testing"
}

variables {
  bucket_name             = "tst-anstead-s3-bua"
  integration_bucket_name = "tst-anstead-s3-rw-integration"
  kms_key_arn             = "arn:aws:kms:ap-southeast-2:222222222222:key/11111111-2222-3333-4444-555555555555"
}

run "both_buckets_are_closed_and_encrypted" {
  assert {
    condition     = { for key, bucket in aws_s3_bucket.this : key => bucket.bucket } == { accrual = "tst-anstead-s3-bua", integration = "tst-anstead-s3-rw-integration" }
    error_message = "Two buckets."
  }

  assert {
    condition = alltrue([for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && length(aws_s3_bucket_public_access_block.this) == 2
    error_message = "Nothing is public."
  }

  assert {
    condition = alltrue([for c in aws_s3_bucket_server_side_encryption_configuration.this :
      one(c.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Encrypted with the account's key."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy == false])
    error_message = "A bucket with files in it is not destroyed."
  }

  assert {
    condition     = { for rule in aws_s3_bucket_lifecycle_configuration.accrual.rule : rule.id => try(rule.expiration[0].days, null) } == { booked-exports = 2557, working-files = 90, generated-meter-data = 90, leftovers = null }
    error_message = "Complete exports stay seven years, working files and meter data files ninety days."
  }

  assert {
    condition     = { for key, bucket in aws_s3_bucket.this : key => bucket.object_lock_enabled } == { accrual = true, integration = false }
    error_message = "Files of the accrual's bucket can be retained."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.this : document.statement[1].effect == "Deny" && document.statement[1].actions == toset(["s3:BypassGovernanceRetention"])])
    error_message = "Nobody bypasses the retention."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.this : document.statement[0].effect == "Deny" && one(document.statement[0].condition).variable == "aws:SecureTransport"])
    error_message = "Only over TLS."
  }
}

run "an_integration_bucket_of_others_is_left_alone" {
  variables {
    enable_integration_bucket = false
  }

  assert {
    condition     = keys(aws_s3_bucket.this) == ["accrual"] && length(aws_s3_bucket_lifecycle_configuration.integration) == 0
    error_message = "It is neither created nor configured."
  }

  assert {
    condition     = output.integration_bucket_arn == "arn:aws:s3:::tst-anstead-s3-rw-integration"
    error_message = "Its ARN is known all the same."
  }
}

run "a_temporary_environment_can_be_destroyed" {
  variables {
    enable_force_destroy = true
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.this : length(document.statement) == 1])
    error_message = "Its retained files can be deleted by whoever may bypass the retention."
  }
}

run "refuses_exports_that_are_gone_before_they_move" {
  command = plan

  variables {
    export_retention_days = 30
  }

  expect_failures = [var.export_retention_days]
}
