# SPDX-License-Identifier: Apache-2.0
# How tests are registered. Every test may exit with 77: nothing of it ran, and it says why in a line
# "skipped: what: why" (tests/skips.h, tests/skips.py). tools/test.sh lists those lines at the end of a run.
#
# LABEL is the kind. "long" beside it: the test runs in "make test-long", not in "make test". "sweep": see below.

# larch_test(NAME LABEL TIMEOUT COMMAND...)
function(larch_test name label timeout)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
endfunction()

# Tests of this folder that take long and find what others rarely miss.
function(larch_tests_long)
  foreach(name ${ARGN})
    set_property(TEST ${name} APPEND PROPERTY LABELS long)
  endforeach()
endfunction()

# Many cases of what no compiler and no processor changes: other releases and processors leave them out.
function(larch_tests_sweep)
  foreach(name ${ARGN})
    set_property(TEST ${name} APPEND PROPERTY LABELS sweep)
  endforeach()
endfunction()

# A test that cannot be built here stays in the count, as skipped.
function(larch_test_left_out name label why)
  larch_test(${name} ${label} 10 sh -c "echo 'skipped: ${name}: ${why}' && exit 77")
  message(STATUS "${name}: left out (${why})")
endfunction()
