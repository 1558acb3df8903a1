variable "cluster_name" {
  description = "The existing EKS cluster."
  type        = string
}

variable "account_id" {
  description = "The cluster's account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account number has 12 digits."
  }
}

variable "region" {
  description = "The cluster's region."
  type        = string
}

variable "node_group_name" {
  description = "The node group that a run scales, e.g. tst-anstead-bua."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", var.node_group_name))
    error_message = "A node group's name has at most 63 letters, digits, - and _."
  }
}

variable "node_role_name" {
  description = "Name of the nodes' role."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the nodes."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 1
    error_message = "Give at least one subnet."
  }
}

variable "architecture" {
  description = "Processor architecture of the nodes: that for which the platform's images are built."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "instance_types" {
  description = "Instance types of the nodes; null for m7g.xlarge or m7i.xlarge, as the architecture demands."
  type        = list(string)
  default     = null

  validation {
    condition     = var.instance_types == null ? true : length(var.instance_types) >= 1
    error_message = "Give at least one instance type."
  }

  # Graviton's families have a g after their generation: m7g, r8gd, c7gn.
  validation {
    condition     = alltrue([for type in coalesce(var.instance_types, []) : can(regex("^([a-z]+[0-9]+g[a-z]*|a1|t4g)\\.", type)) == (var.architecture == "arm64")])
    error_message = "The instance types must have the processors of the architecture."
  }
}

variable "max_nodes" {
  description = "Maximum number of nodes (bua-scaleup-meterdata needs 10)."
  type        = number
  default     = 10

  validation {
    condition     = var.max_nodes >= 10
    error_message = "max_nodes must be at least 10: bua-scaleup-meterdata scales to 10 nodes."
  }
}

variable "volume_gb" {
  description = "Root volume of a node in GB."
  type        = number
  default     = 50

  validation {
    condition     = var.volume_gb >= 20
    error_message = "volume_gb must be at least 20: the image alone needs 20 GB."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the platform's services."
  type        = string
  default     = "core"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a Kubernetes name: lower-case letters, digits and -."
  }
}

variable "deployments" {
  description = "The only deployments that a run may scale."
  type        = list(string)
  default     = ["workflow", "meterdata"]

  validation {
    condition     = length(var.deployments) >= 1 && alltrue([for name in var.deployments : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "Give at least one deployment; each must be a Kubernetes name."
  }
}

variable "kubernetes_group" {
  description = "Kubernetes group of the functions that scale."
  type        = string
  default     = "bua-scaler"

  validation {
    condition     = !startswith(var.kubernetes_group, "system:")
    error_message = "EKS refuses access entries for groups that begin with system:."
  }
}

variable "scaler_roles" {
  description = "ARNs of the roles of the functions that scale deployments. The keys are labels."
  type        = map(string)
}

variable "api_clients" {
  description = "Security groups that may reach the cluster's API (the keys are labels), and the cluster's own security group; null if the API is reached another way."
  type = object({
    cluster_security_group_id = string
    client_security_group_ids = map(string)
  })
  default = null
}
