# SPDX-License-Identifier: Apache-2.0
# larch sniff over captures made from scratch: pcap -> expected text.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME e2e.sniff
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/sniff_test.py
          $<TARGET_FILE:larch_program> ${PROJECT_SOURCE_DIR}/tests/sniff)
set_tests_properties(e2e.sniff PROPERTIES LABELS e2e TIMEOUT 300)
add_test(NAME e2e.serial
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/serial_test.py $<TARGET_FILE:larch_program>)
set_tests_properties(e2e.serial PROPERTIES LABELS e2e TIMEOUT 300)
add_test(NAME e2e.extcap
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/extcap_test.py $<TARGET_FILE:larch_program>)
set_tests_properties(e2e.extcap PROPERTIES LABELS e2e TIMEOUT 300)
add_test(NAME e2e.lua
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/lua_test.py $<TARGET_FILE:larch_program>
          ${PROJECT_SOURCE_DIR}/tools/wireshark/larch.lua)
set_tests_properties(e2e.lua PROPERTIES LABELS e2e TIMEOUT 300)
