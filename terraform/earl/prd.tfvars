environment = "prd"

# Replace with the accounts' own values (docs/deployment.md).
account_id         = "333333333333"
anstead_account_id = "444444444444"
production_key_arn = "arn:aws:kms:ap-southeast-2:333333333333:key/00000000-0000-0000-0000-000000000000"
alarm_emails       = ["accruals-oncall@example.com"]
