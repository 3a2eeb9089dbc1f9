# Tallyman. `make help` lists what there is.
#
# What a step needs is installed by the step itself (tools/need), outside of the checkout.

.PHONY: fuzz bench help demo demo-odoo test check sim test-crash test-odoo test-vm addons format deny shell-lint clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## Try everything on this machine, without an Odoo
	@tools/need cc rust
	cargo build --release --locked
	@exec "$${CARGO_TARGET_DIR:-target}/release/tallyman" demo

demo-odoo: ## The demo against a real Odoo 19, with the addon installed and a device enrolled
	@tools/need cc rust python3 curl
	cargo build --release --locked
	@exec tools/demo-odoo

test: ## Every test, the real Odoo's and the virtual machine's included; the first run fetches what it needs
	@tests/run all

check: ## Format, lints, unit and integration tests, the simulation: the quick inner loop
	@tests/run check

test-odoo: ## Only the tests against a real Odoo 19
	@tests/run odoo

test-crash: ## Only kills, power cuts, damaged files and full disks (needs root for loop devices)
	@tests/run crash

sim: ## Simulate lives of a device without end; a seed that goes wrong is printed
	@tools/sim-forever

test-vm: ## Only the scanners' tests on a real kernel, in a virtual machine
	@tests/run vm

addons: ## Only the addons' own tests
	@tests/odoo/suite.sh addons

format: ## Format the sources
	cargo fmt

fuzz: ## Fuzz decoder, frames, keys and HID POS reports for a minute each
	@tools/fuzz 60

bench: ## How fast codes are decoded and reports made durable, what a full queue costs, and photos side by side with libvips
	cargo bench --bench decode --bench store --bench outbox --bench growth --bench photo
	@tools/bench-photo

deny: ## Licences, sources and bans of the dependencies
	@tests/run deny

clean: ## Remove what was built here (the caches outside stay)
	cargo clean
