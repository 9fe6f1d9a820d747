# SPDX-License-Identifier: Apache-2.0
# larch bench kem and kex: form and completeness of what they print, not the figures.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
larch_test(e2e.bench e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_bench.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:larch_bench_peers>)
larch_tests_long(e2e.bench)
