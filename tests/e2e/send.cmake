# SPDX-License-Identifier: Apache-2.0
# larch send and discover against larch gateway, the prototype's boards and libcoap.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(proto_crypto proto_crypto.c)
target_link_libraries(proto_crypto PRIVATE larch)
larch_warnings(proto_crypto)
add_test(NAME e2e.send
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_send.py
          $<TARGET_FILE:larch_program> $<TARGET_FILE:proto_crypto>)
set_tests_properties(e2e.send PROPERTIES LABELS e2e TIMEOUT 300)
