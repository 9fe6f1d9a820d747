# SPDX-License-Identifier: Apache-2.0
# The human front of larch: every target says in one line what it does. The
# build itself is CMake's (CMakeLists.txt, CMakePresets.json).
SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60

# CMake writes makefiles of its own, which must not see this one's flags.
build = MAKEFLAGS=--no-print-directory cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))
ctest = MAKEFLAGS= ctest --preset $(1) -j $(JOBS) --progress $(2)
start := $(shell date +%s)
say = @printf '\n== %s (%d s)\n' "$(1)" $$(( $$(date +%s) - $(start) ))
# The program, as soon as its folder exists.
program := $(if $(wildcard apps/larch/CMakeLists.txt),larch_program)

.PHONY: all demo test lint fuzz coverage bench size size-boards boards boards-demo boards-size boards-test man install uninstall clean help

all: ## build the program larch and the library (build/)
	@tools/setup.sh build
	@test -f build/CMakeCache.txt || cmake --preset release -DLARCH_TESTS=OFF -DLARCH_WERROR=OFF >/dev/null
	@$(call build,release,larch $(program))

demo: all ## gateway, sender, sniffer and attacks on this machine's loopback
	@build/larch demo

test: ## the whole test run, as the continuous integration does it
	@tools/setup.sh test
	$(call say,boards: images)
	@tools/board_sources.sh && JOBS=$(JOBS) tools/boards/build.sh || echo "boards: left out of this run"
	$(call say,release: build)
	@cmake --preset release -DLARCH_TESTS=ON -DLARCH_WERROR=ON >/dev/null
	@$(call build,release)
	$(call say,release: tests)
	@$(call ctest,release)
	$(call say,sanitizers: build)
	@cmake --preset sanitize >/dev/null
	@$(call build,sanitize)
	$(call say,sanitizers: tests)
	@$(call ctest,sanitize,-L '^(unit|scenario|fuzz)$$')
	$(call say,format)
	@tools/lint.sh format
	$(call say,all passed)

lint: ## clang-format, clang-tidy and cppcheck over our sources
	@tools/setup.sh lint
	@cmake --preset release -DLARCH_TESTS=ON -DLARCH_WERROR=ON >/dev/null
	@tools/lint.sh all

fuzz: ## each harness for FUZZ_SECONDS=60; FUZZ=NAME picks one
	@tools/setup.sh fuzz
	@cmake --preset fuzz >/dev/null
	@$(call build,fuzz)
	@tools/fuzz.sh $(FUZZ_SECONDS) $(FUZZ)

coverage: ## line coverage of unit and scenario tests
	@tools/setup.sh coverage
	@cmake --preset coverage >/dev/null
	@$(call build,coverage)
	@tools/coverage.sh $(JOBS)

bench: all ## this machine's figures beside other libraries' (once fetches Debian 13's)
	@tools/setup.sh bench
	@cmake -B build >/dev/null
	@$(call build,release,larch_bench_peers)
	@tools/peers_debian13.sh || true
	@bench/run.sh

size: ## bytes of code and data of each room, at -Os with ML-KEM-512 alone; boards, if their tools are here
	@tools/setup.sh build
	@tools/size.sh
	@echo; tools/size_boards.sh || test $$? = 77

size-boards: ## code, stack and instructions of the pq room on RV32IMAC and Cortex-M, under QEMU
	@tools/setup.sh boards
	@tools/size_boards.sh

boards: ## firmware images for emulated boards (build/boards/), with FreeRTOS, lwIP and Mbed TLS from Debian
	@tools/setup.sh boards
	@tools/board_sources.sh
	@JOBS=$(JOBS) tools/boards/build.sh

boards-demo: all boards ## gateway, sender and sniffer boards under QEMU; pictures, logs and captures in build/boards-demo
	@tools/boards/demo.py

boards-size: boards ## the firmware's flash, RAM, stacks and instructions, measured under QEMU
	@tools/boards/sizes.py

boards-test: boards ## the firmware's tests under QEMU
	@tools/setup.sh test
	@cmake --preset release -DLARCH_TESTS=ON >/dev/null
	@$(call build,release)
	@$(call ctest,release,-L '^boards$$')

man: all ## man pages (build/man) from the program's own help
	@tools/setup.sh man
	@tools/man.sh build/larch build/man

install: all ## install into PREFIX=/usr/local, below DESTDIR
	@cmake -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DCMAKE_INSTALL_MESSAGE=LAZY -B build >/dev/null
	@$(call build,release,larch $(program))
	@DESTDIR=$(DESTDIR) cmake --install build
	@mv build/install_manifest.txt build/installed.txt

uninstall: ## remove what the last install put there
	@test -f build/installed.txt || { echo "nothing was installed from here" >&2; exit 1; }
	@sed 's|^|$(DESTDIR)|' build/installed.txt | tr '\n' '\0' | xargs -0 rm -fv --
	@rm build/installed.txt

clean: ## remove build/
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
