# SPDX-License-Identifier: Apache-2.0
# @noble/post-quantum: "npm ci" in tests/interop/noble installs it.
find_program(NODE node)
set(noble ${CMAKE_CURRENT_LIST_DIR}/noble)
if(NODE AND EXISTS ${noble}/node_modules)
  add_executable(noble_peer noble_peer.c)
  target_include_directories(noble_peer PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(noble_peer PRIVATE larch)
  larch_warnings(noble_peer)
  add_test(NAME interop.noble COMMAND ${NODE} ${noble}/noble.mjs $<TARGET_FILE:noble_peer>)
  set_tests_properties(interop.noble PROPERTIES LABELS interop TIMEOUT 300)
else()
  message(STATUS "interop.noble: left out (needs node, and npm ci in tests/interop/noble)")
endif()
