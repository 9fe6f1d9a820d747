# SPDX-License-Identifier: Apache-2.0
# larch bench kem and kex: form and completeness of what they print, not the figures.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME e2e.bench
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_bench.py
          $<TARGET_FILE:larch_program> $<TARGET_FILE:larch_bench_peers>)
set_tests_properties(e2e.bench PROPERTIES LABELS e2e TIMEOUT 300)
