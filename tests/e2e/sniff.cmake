# SPDX-License-Identifier: Apache-2.0
# larch sniff over captures made from scratch: pcap -> expected text.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
larch_test(e2e.sniff e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/sniff_test.py
  $<TARGET_FILE:larch_program> ${PROJECT_SOURCE_DIR}/tests/sniff)
add_executable(oscore_talk oscore_talk.c ${PROJECT_SOURCE_DIR}/src/oscore/keylog.c)
target_include_directories(oscore_talk PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(oscore_talk PRIVATE LARCH_KEYLOG=1)
target_link_libraries(oscore_talk PRIVATE larch)
larch_warnings(oscore_talk)
larch_test(e2e.oscore_keys e2e 120
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/oscore_keys_test.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:oscore_talk>)
larch_test(e2e.serial e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/serial_test.py $<TARGET_FILE:larch_program>)
larch_test(e2e.extcap e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/extcap_test.py $<TARGET_FILE:larch_program>)
larch_test(e2e.lua e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/lua_test.py $<TARGET_FILE:larch_program>
  ${PROJECT_SOURCE_DIR}/tools/wireshark/larch.lua)
larch_test(e2e.capture e2e 300
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/capture_test.py $<TARGET_FILE:larch_program>)
