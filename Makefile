# What a person runs by hand, one word each. How it is done stands where it is named.

TARGET := $(or $(CARGO_TARGET_DIR),target)
PREFIX ?= $(HOME)/.local

.PHONY: demo test test-long bench install build check images cluster cluster-down

demo: build ## set everything up, run the example notebook on a real Spark, show the result
	$(TARGET)/debug/firesteel demo notebooks/examples/flights.ipynb --output-dir $(TARGET)/demo

test: build ## set everything up, run the tests
	tests/run

test-long: build ## long seeded runs
	tests/run --long

bench: check ## figures beside those of peers; after `make cluster`, those of a cluster as well
	tests/bench/run

images: check ## images of Spark, keeper and notebook, without a Docker daemon
	deploy/images/build --release

cluster: build ## a real Kubernetes on this machine, with these images and a profile that uses it
	deploy/images/build
	tests/cluster/up
	tests/cluster/profile

cluster-down:
	tests/cluster/down

install: check ## the programs into PREFIX/bin, the kernelspec for this user
	cargo build --workspace --release --locked
	install -D -t $(PREFIX)/bin $(TARGET)/release/firesteel $(TARGET)/release/firesteel-launcher
	$(PREFIX)/bin/firesteel install --user

build: check
	cargo build --workspace --locked

check:
	@deploy/check-machine
