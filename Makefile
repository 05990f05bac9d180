# make demo   set up, build, answer a real question and print its front
# make test   set up, then run every test
# make setup  only install what is missing
# make bench  criterion benchmarks of every stage

CARGO ?= cargo
THREADS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: demo test setup build bench clean

setup:
	@bash scripts/setup.sh

build: setup
	$(CARGO) build --release --locked -p mathsmith

demo: build
	./target/release/mathsmith approx "exp2(x)" --on 0..1 --type f32 --max-ulp 1 --threads $(THREADS) --out run/

test: setup
	$(CARGO) test --workspace --locked

bench: setup
	$(CARGO) bench --locked -p mathsmith --bench '*'

clean:
	$(CARGO) clean
	rm -rf run
