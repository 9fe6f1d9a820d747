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
# The program, as soon as its folder exists.
program := $(if $(wildcard apps/larch/CMakeLists.txt),larch_program)

.PHONY: all demo test test-long test-debian13 test-foreign lint fuzz coverage bench size size-boards boards boards-demo boards-size boards-test install uninstall clean help

all: ## build the program larch and the library (build/)
	@tools/setup.sh build
	@test -f build/CMakeCache.txt || cmake --preset release -DLARCH_TESTS=OFF -DLARCH_WERROR=OFF >/dev/null
	@$(call build,release,larch $(program))

demo: all ## gateway, sender, sniffer and attacks on this machine's loopback
	@build/larch demo

test: ## everything a change must pass; the last line counts what passed, failed and was skipped
	@tools/setup.sh test
	@tools/test.sh short $(JOBS)

test-long: ## the tests that take longer, up to 30 minutes
	@tools/setup.sh test
	@tools/test.sh long $(JOBS)

test-debian13: ## the test run and both demonstrations on Debian 13, in a folder that apt fills (LARCH_DEBIAN13=FOLDER)
	@JOBS=$(JOBS) tools/debian13/test.sh full

test-foreign: ## unit, scenario and vector tests as arm64 and as big-endian s390x, run by QEMU
	@JOBS=$(JOBS) tools/foreign/test.sh

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

# Targets that stand on others ask for all packages first, so that who may not install them reads one line.
bench: ## this machine's figures beside other libraries' (once fetches Debian 13's)
	@tools/setup.sh bench
	@$(MAKE) --no-print-directory all
	@cmake -B build >/dev/null
	@$(call build,release,larch_bench_peers)
	@tools/peers_debian13.sh || true
	@tools/oscore_peers.sh || true
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

boards-demo: ## gateway, sender and sniffer boards under QEMU, in some minutes; pictures, logs and captures in build/boards-demo
	@tools/setup.sh boards-demo
	@JOBS=$(JOBS) tools/boards/demo.py --prepare

boards-size: boards ## the firmware's flash, RAM, stacks and instructions, measured under QEMU
	@tools/boards/sizes.py

boards-test: ## the firmware's tests under QEMU
	@tools/setup.sh boards-test
	@$(MAKE) --no-print-directory boards
	@cmake --preset release -DLARCH_TESTS=ON >/dev/null
	@$(call build,release)
	@$(call ctest,release,-L '^boards$$')

install: all ## install program, library, man pages and completion into PREFIX=/usr/local, below DESTDIR
	@cmake -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DCMAKE_INSTALL_MESSAGE=LAZY -B build >/dev/null
	@$(call build,release,larch $(program) $(if $(program),larch_pages_made))
	@tools/install.sh install build '$(DESTDIR)'

uninstall: ## remove what the last install with this DESTDIR put there, and the folders that it made
	@tools/install.sh uninstall build '$(DESTDIR)'

clean: ## remove build/
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
