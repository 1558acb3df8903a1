# Targets for Terraform and policies; the Makefile includes this file.
TERRAFORM ?= terraform
ACCOUNT     ?= anstead
ENVIRONMENT ?= tst
# The lock file in the repository pins the provider. To change it, open a pull request (docs/deployment.md, Upgrade).
INIT = init -input=false -no-color -reconfigure -lockfile=readonly -backend-config=$(ENVIRONMENT).s3.tfbackend

.PHONY: terraform-check policy-check e2e terraform-plan terraform-apply

terraform-check: ## Check and test the Terraform code, as make test does; PROVIDER=newest tests 6.x
	@terraform/check.sh

policy-check: setup ## Check security policies, GitHub workflows and state machine definitions
	@terraform/policies.sh "$(VENV)/bin/python"

e2e: setup ## Apply Terraform to the emulated AWS, run a month there, compare it with make run
	@if ! command -v $(TERRAFORM) >/dev/null; then echo "SKIPPED: make e2e needs terraform, which is not installed: nothing was tested" >&2; exit 0; fi; \
	set -e; $(RUN) -m local.run --run-date $(RUN_DATE) --accounts $(ACCOUNTS) --seed $(SEED) --work build/e2e/run --out build/e2e/expected; \
	PYTHONPATH=src:tests $(VENV)/bin/python -m e2e.month_end --run-date $(RUN_DATE) --portfolio build/e2e/run/demo \
	    --expected build/e2e/expected --mirror "$$(terraform/find-mirror.sh)"

terraform-plan: ## Show what would change: ACCOUNT=earl|anstead ENVIRONMENT=tst|prd [PLAN=file]
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) $(INIT) >&2
	@# A plan writes nothing, so it needs no lock, and the plan role has no permission to take one.
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) plan -input=false -no-color -lock=false -var-file=$(ENVIRONMENT).tfvars $(if $(PLAN),-out=$(abspath $(PLAN)))

terraform-apply: ## Apply the changes: ACCOUNT=earl|anstead ENVIRONMENT=tst|prd [PLAN=file of terraform-plan]
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) $(INIT)
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) apply -input=false -no-color $(if $(PLAN),$(abspath $(PLAN)),-auto-approve -var-file=$(ENVIRONMENT).tfvars)
