# SPDX-License-Identifier: Apache-2.0
# libcoap's programs, from Debian's libcoap3-bin.
include(${CMAKE_CURRENT_LIST_DIR}/coap_peer.cmake)

find_program(COAP_CLIENT coap-client-notls)
find_program(COAP_SERVER coap-server-notls)
if(TARGET coap_peer AND Python3_FOUND AND COAP_CLIENT AND COAP_SERVER)
  coap_interop_test(libcoap ${CMAKE_CURRENT_LIST_DIR}/libcoap_test.py)
  set_property(TEST interop.libcoap APPEND PROPERTY ENVIRONMENT
    COAP_CLIENT=${COAP_CLIENT} COAP_SERVER=${COAP_SERVER})
else()
  larch_test_left_out(interop.libcoap interop "needs python3, coap-client-notls and coap-server-notls")
endif()
