# SPDX-License-Identifier: Apache-2.0
# larch oled over what the drivers of a board send: text, pictures, JSON, exit codes.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(oled_board ${CMAKE_CURRENT_SOURCE_DIR}/oled_board.c)
target_link_libraries(oled_board PRIVATE larch_drivers)
larch_warnings(oled_board)
larch_test(e2e.oled e2e 120
  ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_oled.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:oled_board> ${PROJECT_SOURCE_DIR}/tests/oled)
