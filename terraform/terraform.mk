# Targets around Terraform and policies; the Makefile includes this file.
TERRAFORM ?= terraform
ACCOUNT     ?= anstead
ENVIRONMENT ?= tst
# The lock in the repository says which provider; who wants another changes it in a pull request (docs/deployment.md, upgrade).
INIT = init -input=false -no-color -reconfigure -lockfile=readonly -backend-config=$(ENVIRONMENT).s3.tfbackend

.PHONY: terraform-check policy-check e2e terraform-plan terraform-apply

terraform-check: ## Terraform's format, validation and tests, as in make test; PROVIDER=newest for AWS provider 6.x
	@terraform/check.sh

policy-check: setup ## checkov on Terraform, CloudFormation, workflows; zizmor, actionlint; asl-validator on state machines
	@terraform/policies.sh "$(VENV)/bin/python"

e2e: setup ## A month end through what `terraform apply` makes on the emulation of AWS, compared with `make run`'s
	@if ! command -v $(TERRAFORM) >/dev/null; then echo "SKIPPED: no terraform on this machine: make e2e proves nothing here" >&2; exit 0; fi; \
	set -e; $(RUN) -m local.run --run-date $(RUN_DATE) --accounts $(ACCOUNTS) --seed $(SEED) --work build/e2e/run --out build/e2e/expected; \
	PYTHONPATH=src:tests $(VENV)/bin/python -m e2e.month_end --run-date $(RUN_DATE) --portfolio build/e2e/run/demo \
	    --expected build/e2e/expected --mirror "$$(terraform/find-mirror.sh)"

terraform-plan: ## What would change: ACCOUNT=earl|anstead ENVIRONMENT=tst|prd [PLAN=file to keep it in]
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) $(INIT) >&2
	@# A plan writes nothing: it needs no lock, and whoever makes it no right to one.
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) plan -input=false -no-color -lock=false -var-file=$(ENVIRONMENT).tfvars $(if $(PLAN),-out=$(abspath $(PLAN)))

terraform-apply: ## Change it: ACCOUNT=earl|anstead ENVIRONMENT=tst|prd [PLAN=file that terraform-plan made]
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) $(INIT)
	@$(TERRAFORM) -chdir=terraform/$(ACCOUNT) apply -input=false -no-color $(if $(PLAN),$(abspath $(PLAN)),-auto-approve -var-file=$(ENVIRONMENT).tfvars)
