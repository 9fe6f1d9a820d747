# SPDX-License-Identifier: Apache-2.0
# Our side of the CoAP tests.
include_guard()

if(TARGET larch_posix)
  add_executable(coap_peer ${CMAKE_CURRENT_LIST_DIR}/coap_peer.c)
  set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/coap_peer.c PROPERTIES COMPILE_DEFINITIONS _DEFAULT_SOURCE)
  target_link_libraries(coap_peer PRIVATE larch larch_posix larch_text)
  larch_warnings(coap_peer)
endif()

function(coap_interop_test name script)
  larch_test(interop.${name} interop 30 Python3::Interpreter -B ${script})
  set_tests_properties(interop.${name} PROPERTIES ENVIRONMENT COAP_PEER=$<TARGET_FILE:coap_peer>)
endfunction()
