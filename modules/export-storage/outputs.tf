output "bucket_name" {
  description = "Name of the accrual's bucket, known once it is private and encrypted."
  value       = aws_s3_bucket.this["accrual"].id
  depends_on  = [aws_s3_bucket_public_access_block.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "bucket_arn" {
  description = "ARN of the accrual's bucket."
  value       = aws_s3_bucket.this["accrual"].arn
}

output "export_retention_days" {
  description = "Days for which nobody deletes or replaces a complete export: what the export step retains its files for."
  value       = var.export_retention_days
}

output "integration_bucket_arn" {
  description = "ARN of the integration bucket, whoever created it."
  value       = "arn:aws:s3:::${var.integration_bucket_name}"
}
