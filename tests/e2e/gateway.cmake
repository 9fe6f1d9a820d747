# SPDX-License-Identifier: Apache-2.0
# larch gateway, keys and demo as whole programs, and what a SIGKILL leaves.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(sealer sealer.c)
target_link_libraries(sealer PRIVATE larch)
larch_warnings(sealer)
add_test(NAME e2e.gateway
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_gateway.py
          $<TARGET_FILE:larch_program> $<TARGET_FILE:sealer> ${PROJECT_SOURCE_DIR})
add_test(NAME e2e.kill9
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/kill9.py $<TARGET_FILE:larch_program> $<TARGET_FILE:sealer>)
set_tests_properties(e2e.gateway e2e.kill9 PROPERTIES LABELS e2e TIMEOUT 180)
