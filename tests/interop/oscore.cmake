# SPDX-License-Identifier: Apache-2.0
# libcoap 4.3.4 and aiocoap, which speak OSCORE: tools/oscore_peers.sh fetches them from Debian 13.
set(oscore_peers ${PROJECT_SOURCE_DIR}/.cache/trixie-oscore)
if(Python3_FOUND AND EXISTS ${oscore_peers}/python3)
  larch_test(interop.oscore_peers interop 60 Python3::Interpreter -B ${CMAKE_CURRENT_LIST_DIR}/oscore_peers_test.py)
  set_tests_properties(interop.oscore_peers PROPERTIES ENVIRONMENT OSCORE_PEERS=${oscore_peers})
  if(TARGET larch_program)
    larch_test(interop.oscore interop 120 Python3::Interpreter -B ${CMAKE_CURRENT_LIST_DIR}/oscore_test.py)
    set_tests_properties(interop.oscore PROPERTIES
      ENVIRONMENT "OSCORE_PEERS=${oscore_peers};LARCH=$<TARGET_FILE:larch_program>")
  endif()
else()
  larch_test_left_out(interop.oscore_peers interop "needs python3, and what tools/oscore_peers.sh fetches")
endif()
