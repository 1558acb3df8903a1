mock_provider "aws" {
  source = "../testing"
}

variables {
  cluster_name    = "tst-anstead-eks"
  account_id      = "222222222222"
  region          = "ap-southeast-2"
  node_group_name = "tst-anstead-bua"
  node_role_name  = "tst-anstead-role-bua-node"
  subnet_ids      = ["subnet-1", "subnet-2"]
  scaler_roles    = { controller-fast = "arn:aws:iam::222222222222:role/controller" }
}

run "no_nodes_between_runs" {
  assert {
    condition     = aws_eks_node_group.this.scaling_config[0] == { min_size = 0, desired_size = 0, max_size = 10 }
    error_message = "Zero nodes, up to ten."
  }

  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "Nodes want metadata tokens and encrypt their volumes."
  }
}

run "scales_named_deployments_and_nothing_else" {
  assert {
    condition = jsonencode(yamldecode(split("---", output.rbac_manifest)[0]).rules) == jsonencode([
      { apiGroups = ["apps"], resources = ["deployments/scale"], resourceNames = ["workflow", "meterdata"], verbs = ["patch"] },
      { apiGroups = ["apps"], resources = ["deployments"], resourceNames = ["workflow", "meterdata"], verbs = ["get"] },
      { apiGroups = [""], resources = ["pods"], verbs = ["list"] },
    ])
    error_message = "Patch the scale of the two services, and look at them and at pods."
  }

  assert {
    condition = jsonencode(yamldecode(split("---", output.rbac_manifest)[2]).rules) == jsonencode([
      { apiGroups = [""], resources = ["nodes"], verbs = ["list"] },
    ]) && yamldecode(split("---", output.rbac_manifest)[3]).roleRef.name == "bua-scaler-nodes"
    error_message = "Of the cluster itself only the list of its nodes."
  }

  assert {
    condition     = yamldecode(split("---", output.rbac_manifest)[1]).subjects[0].name == "bua-scaler" && aws_eks_access_entry.scaler["controller-fast"].kubernetes_groups == toset(["bua-scaler"])
    error_message = "The functions' group is the one that the manifest binds."
  }

  assert {
    condition     = aws_eks_access_entry.scaler["controller-fast"].type == "STANDARD"
    error_message = "A plain access entry."
  }

  assert {
    condition = { for s in output.scale_statements : s.sid => s.resources } == {
      NodeGroup = ["arn:aws:eks:ap-southeast-2:222222222222:nodegroup/tst-anstead-eks/tst-anstead-bua/*"]
      Cluster   = ["arn:aws:eks:ap-southeast-2:222222222222:cluster/tst-anstead-eks"]
    }
    error_message = "This node group of this cluster."
  }
}

run "lets_the_functions_reach_the_api" {
  variables {
    api_clients = { cluster_security_group_id = "sg-9", client_security_group_ids = { functions = "sg-2" } }
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.api["functions"].from_port == 443 && aws_vpc_security_group_ingress_rule.api["functions"].security_group_id == "sg-9"
    error_message = "HTTPS into the cluster's security group."
  }
}

run "takes_machines_of_the_images_architecture" {
  variables {
    architecture = "x86_64"
  }

  assert {
    condition     = aws_eks_node_group.this.ami_type == "AL2023_x86_64_STANDARD" && aws_eks_node_group.this.instance_types == tolist(["m7i.xlarge"])
    error_message = "Image and machines have the architecture."
  }
}

run "refuses_machines_of_another_architecture" {
  command = plan

  variables {
    architecture   = "x86_64"
    instance_types = ["m7i.xlarge", "m7g.xlarge"]
  }

  expect_failures = [var.instance_types]
}

run "refuses_too_few_nodes" {
  command = plan

  variables {
    max_nodes = 3
  }

  expect_failures = [var.max_nodes]
}

run "refuses_a_group_of_kubernetes_own" {
  command = plan

  variables {
    kubernetes_group = "system:masters"
  }

  expect_failures = [var.kubernetes_group]
}
