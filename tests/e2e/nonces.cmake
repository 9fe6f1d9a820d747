# SPDX-License-Identifier: Apache-2.0
# The program with each nonce logged: the form of protect.c that does so comes before that of the library.
add_executable(larch_nonces_program ${PROJECT_SOURCE_DIR}/apps/larch/main.c)
target_compile_definitions(larch_nonces_program PRIVATE LARCH_VERSION="${PROJECT_VERSION}")
target_link_libraries(larch_nonces_program PRIVATE larch_nonces larch_commands)
larch_warnings(larch_nonces_program)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
larch_test(e2e.nonces e2e 300 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/nonces_test.py
  $<TARGET_FILE:larch_nonces_program> ${PROJECT_SOURCE_DIR}/tools)
larch_tests_long(e2e.nonces)
