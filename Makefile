# Every target works on a fresh machine with Go, git and a Debian package source. See: make help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED := 0
export GOTOOLCHAIN := local

# Build tags of tests that need a browser or a server. A test at the root refuses a tag not named here.
TAGS := browser,postgres,openapi,attacks,processes

# Packages that decide: every statement covered, mutants hunted.
DECIDERS := fault memo identifier statement registry record visit credential door custody attest agreement ticket gate access evidence

FUZZTIME ?= 3s
STATICCHECK_VERSION := v0.8.2
GREMLINS_VERSION := v0.6.0
GOTESTSUM_VERSION := v1.13.0

COMMANDS := $(notdir $(wildcard cmd/*))
# A tool of another Go version cannot read this one's code, so its name holds both versions.
TOOLS := $(CURDIR)/bin-tools/$(shell go env GOVERSION)
STATICCHECK := $(TOOLS)/staticcheck-$(STATICCHECK_VERSION)
GREMLINS := $(TOOLS)/gremlins-$(GREMLINS_VERSION)
GOTESTSUM := $(TOOLS)/gotestsum-$(GOTESTSUM_VERSION)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
CLI := github.com/menshen-project/menshen/internal/cli
LDFLAGS := -s -w -X $(CLI).version=$(VERSION) -X $(CLI).commit=$(COMMIT)

.PHONY: help build run check test fmt fuzz cover mutation lint unit deciders others debian npm verifier $(COMMANDS:%=bin/%)

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

build: verifier $(COMMANDS:%=bin/%) ## build every command of cmd/ into bin/, without cgo

verifier: ## compile menshen-verify for the page /verify; what is built afterwards carries it
	script/verifier

$(COMMANDS:%=bin/%):
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/$(@F)

run: build ## build, then run the demonstration
	bin/menshen demo

check: lint unit ## what to run before every commit: format, vet, staticcheck, layers, unit and script tests

# What is tested is compiled as what is built: most packages once for all, and not once more without paths.
# lint has vetted everything with the same tags, so that go test need not vet each package again.
test: export GOFLAGS += -trimpath -vet=off
test: debian npm lint build deciders others fuzz ## everything, as CI runs it; installs the Debian packages it needs

fmt: ## format all Go files
	gofmt -w .

fuzz: ## fuzz every fuzz target for FUZZTIME (3s) each
	script/fuzz $(FUZZTIME)

cover: ## fail unless every statement of the packages that decide is covered by their own tests
	script/cover $(DECIDERS)

mutation: $(GREMLINS) ## list mutants of the packages that decide which no test kills (long)
	script/mutation $(GREMLINS) $(DECIDERS)

lint: $(STATICCHECK)
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	go vet -tags $(TAGS) ./...
	$(STATICCHECK) -tags $(TAGS) ./...

unit:
	go test .
	go test ./...

# The packages that decide know no second time, and their coverage is that of the only run.
deciders: $(GOTESTSUM)
	script/cover --with $(GOTESTSUM) -tags $(TAGS) $(DECIDERS)

# Every other package; the pages with their browsers first, for they take longest.
# Up to three failed tests are run once more: browsers and processes on a busy machine. Which ones is printed
# at the end, for a test that needed it is a fault to look for (docs/decisions/0057).
others: $(GOTESTSUM)
	@again=$$(mktemp); export MENSHEN_FIGURES=$$(mktemp); trap 'rm -f "$$again" "$$MENSHEN_FIGURES"' EXIT; \
	packages=$$(go list ./internal/pages && go list ./... | grep -vE '/menshen(/internal)?/($(subst $() $(),|,$(DECIDERS)))$$'); \
	script/with-postgres $(GOTESTSUM) --format standard-quiet --rerun-fails=1 --rerun-fails-max-failures=3 --rerun-fails-run-root-test \
		--rerun-fails-report="$$again" --packages "$$(tr '\n' ' ' <<<"$$packages")" -- -tags $(TAGS) -timeout 20m; \
	cat "$$MENSHEN_FIGURES"; \
	if [ -s "$$again" ]; then echo "Not steady, passed only the second time:"; cat "$$again"; fi

debian:
	script/debian chromium fonts-noto-cjk postgresql

# Only tests use npm; what is served to people is vendored.
npm:
	@for lock in $$(find . -name package-lock.json -not -path '*/node_modules/*'); do \
		(cd "$$(dirname "$$lock")" && npm ci --ignore-scripts --no-audit --no-fund); \
	done

$(STATICCHECK):
	GOBIN=$(TOOLS) go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv $(TOOLS)/staticcheck $@

$(GOTESTSUM):
	GOBIN=$(TOOLS) go install gotest.tools/gotestsum@$(GOTESTSUM_VERSION)
	mv $(TOOLS)/gotestsum $@

$(GREMLINS):
	GOBIN=$(TOOLS) go install github.com/go-gremlins/gremlins/cmd/gremlins@$(GREMLINS_VERSION)
	mv $(TOOLS)/gremlins $@
