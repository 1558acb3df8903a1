environment = "tst"

# Replace with the account's own values (docs/deployment.md).
account_id                = "222222222222"
earl_account_id           = "111111111111"
earl_shared_key_arn       = "arn:aws:kms:ap-southeast-2:111111111111:key/00000000-0000-0000-0000-000000000000"
vpc_id                    = "vpc-00000000000000000"
private_subnet_ids        = ["subnet-00000000000000000", "subnet-11111111111111111"]
hosted_zone_id            = "Z00000000000000000000"
cluster_security_group_id = "sg-00000000000000000"

instance_class       = "db.r7g.2xlarge"
allocated_storage_gb = 0 # as much as the snapshot's, with what gp3 gives at that size
iops                 = 0
storage_throughput   = 0
node_instance_types  = ["m7g.large"]
concurrency_cap      = 100

# Test runs are started by hand, so there is no deadline.
enable_deadline = false
