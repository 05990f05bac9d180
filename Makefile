# make demo   set up, build, answer a real question and print its front
# make test   set up, then run every test
# make setup  only install what is missing
# make bench  install SLEEF and clang where possible, and time a found function beside every library found
# make bench-stages  criterion benchmarks of every stage

CARGO ?= cargo
THREADS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: demo test setup build bench bench-stages clean

setup:
	@bash scripts/setup.sh

build: setup
	$(CARGO) build --release --locked -p mathsmith

demo: build
	./target/release/mathsmith approx "exp2(x)" --on 0..1 --type f32 --max-ulp 1 --threads $(THREADS) --out run/

test: setup
	$(CARGO) test --workspace --locked

bench: build
	@bash scripts/bench-setup.sh
	test -e run-bench/front.json || ./target/release/mathsmith approx "exp2(x)" --on 0..1 --type f32 --max-ulp 1 \
		--threads $(THREADS) --out run-bench/
	./target/release/mathsmith bench run-bench/ --at-most 1.1 --at-most 4 --threads $(THREADS) --out run-bench/bench.json

bench-stages: setup
	$(CARGO) bench --locked -p mathsmith --bench '*'

clean:
	$(CARGO) clean
	rm -rf run run-bench
