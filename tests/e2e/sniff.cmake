# SPDX-License-Identifier: Apache-2.0
# larch sniff over captures made from scratch: pcap -> expected text.
if(TARGET larch_sniff AND EXISTS ${PROJECT_SOURCE_DIR}/apps/larch/sniff.c)
  find_package(Python3 COMPONENTS Interpreter)
  add_executable(sniff_main sniff_main.c ${PROJECT_SOURCE_DIR}/apps/larch/sniff.c)
  target_include_directories(sniff_main PRIVATE ${PROJECT_SOURCE_DIR}/apps/larch)
  target_compile_definitions(sniff_main PRIVATE _GNU_SOURCE)
  target_link_libraries(sniff_main PRIVATE larch_sniff)
  larch_warnings(sniff_main)
  if(Python3_FOUND)
    add_test(NAME e2e.sniff COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/sniff_test.py
      $<TARGET_FILE:sniff_main> ${PROJECT_SOURCE_DIR}/tests/sniff)
    set_tests_properties(e2e.sniff PROPERTIES LABELS e2e TIMEOUT 300)
  endif()
endif()
