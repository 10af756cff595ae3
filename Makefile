# `make help` lists the targets.

GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help test lint bench fuzz example golden

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

test: ## all tests, with the race detector
	go test -race ./...

lint: ## gofmt, vet and the linters
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	$(GOLANGCI) run

bench: ## the figures of the README, each beside its baseline in one run
	go test -run '^$$' -bench . -benchmem -timeout 60m ./internal/rewrite ./dualwrite ./internal/sweep ./internal/synctrigger ./migrator
	go run ./internal/bench/tail
	go run ./internal/bench/stall

fuzz: ## the rewriter's fuzz test, for a minute
	go test -run '^$$' -fuzz FuzzRewrite -fuzztime 60s ./internal/rewrite

golden: ## write the rewriter's golden files anew
	go test ./internal/rewrite -run Golden -update

example: ## the main job and the other kinds, end to end, with small numbers
	go run ./examples/rename -rows 5000 -duration 1s
	go run ./examples/kinds -rows 5000 -duration 300ms
	go run ./examples/alter -rows 5000
	go run ./examples/key
