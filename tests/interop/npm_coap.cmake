# SPDX-License-Identifier: Apache-2.0
# The CoAP stack of Node.js: run "npm ci" in npm_coap/ once.
include(${CMAKE_CURRENT_LIST_DIR}/coap_peer.cmake)

find_program(NODE node)
if(TARGET coap_peer AND Python3_FOUND AND NODE AND EXISTS ${CMAKE_CURRENT_LIST_DIR}/npm_coap/node_modules/coap)
  coap_interop_test(npm_coap ${CMAKE_CURRENT_LIST_DIR}/npm_coap_test.py)
  set_property(TEST interop.npm_coap APPEND PROPERTY ENVIRONMENT NODE=${NODE})
else()
  larch_test_left_out(interop.npm_coap interop "needs python3, node, and npm ci in tests/interop/npm_coap")
endif()
