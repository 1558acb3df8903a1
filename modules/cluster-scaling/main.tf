locals {
  is_arm = var.architecture == "arm64"
}

resource "aws_eks_node_group" "this" {
  cluster_name    = var.cluster_name
  node_group_name = var.node_group_name
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = coalesce(var.instance_types, [local.is_arm ? "m7g.xlarge" : "m7i.xlarge"])
  ami_type        = local.is_arm ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD"
  labels          = { workload = "bua" }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  # No nodes between runs. A run scales to 1 and to 10 nodes, and to 0 when it ends.
  scaling_config {
    min_size     = 0
    desired_size = 0
    max_size     = var.max_nodes
  }

  lifecycle {
    ignore_changes = [scaling_config[0].min_size, scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

resource "aws_launch_template" "node" {
  name                   = var.node_group_name
  description            = "Nodes of the accrual: encrypted volumes, tokens for instance metadata"
  update_default_version = true

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = var.volume_gb
      volume_type           = "gp3"
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # pods get their credentials from Pod Identity, never from the node
  }
}

resource "aws_iam_role" "node" {
  name               = var.node_role_name
  description        = "Nodes of node group ${var.node_group_name}"
  assume_role_policy = data.aws_iam_policy_document.node_trust.json
}

data "aws_iam_policy_document" "node_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# The AWS policies that EKS requires of a node: https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"])

  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}
