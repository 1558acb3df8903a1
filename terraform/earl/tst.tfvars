environment = "tst"

# Replace with the accounts' own values (docs/deployment.md).
account_id         = "111111111111"
anstead_account_id = "222222222222"
production_key_arn = "arn:aws:kms:ap-southeast-2:111111111111:key/00000000-0000-0000-0000-000000000000"

# Test runs are started by hand.
enable_schedule = false
