# SPDX-License-Identifier: Apache-2.0
# larch send and discover against larch gateway, the prototype's boards and libcoap.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(proto_crypto proto_crypto.c)
target_link_libraries(proto_crypto PRIVATE larch)
larch_warnings(proto_crypto)
larch_test(e2e.send e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_send.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:proto_crypto>)
