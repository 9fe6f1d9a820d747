# SPDX-License-Identifier: Apache-2.0
# larch gateway, keys and demo as whole programs, its outbox, and what a SIGKILL leaves.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_executable(sealer sealer.c)
target_link_libraries(sealer PRIVATE larch)
larch_warnings(sealer)
add_library(failing_sync MODULE failing_sync.c)
target_link_libraries(failing_sync PRIVATE ${CMAKE_DL_LIBS})
larch_warnings(failing_sync)
function(gateway_test name timeout script)
  larch_test(e2e.${name} e2e ${timeout} ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script}
    $<TARGET_FILE:larch_program> $<TARGET_FILE:sealer> ${ARGN})
endfunction()
gateway_test(gateway 300 test_gateway.py ${PROJECT_SOURCE_DIR})
gateway_test(backup 180 test_backup.py)
gateway_test(keys 180 test_keys.py)
gateway_test(store 180 test_store.py)
gateway_test(backup_file 180 test_backup_file.py)
gateway_test(outbox 180 test_outbox.py $<TARGET_FILE:failing_sync>)
gateway_test(outbox_disk 180 test_outbox_disk.py)
larch_tests_long(e2e.outbox_disk)
larch_test(e2e.lake e2e 240 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_lake.py
  $<TARGET_FILE:larch_program>)
larch_test(e2e.qkd e2e 120 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_qkd.py
  $<TARGET_FILE:larch_program>)
larch_test(e2e.lake_methods e2e 240 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_lake_methods.py
  $<TARGET_FILE:larch_program>)
larch_test(e2e.device e2e 180 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_device.py
  $<TARGET_FILE:larch_program>)
larch_test(e2e.commands e2e 120 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_commands.py
  $<TARGET_FILE:larch_program>)
larch_test(e2e.fleet e2e 180 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_fleet.py
  $<TARGET_FILE:larch_program>)
# The program with a key log, in every build: what differs in it comes before the libraries' own.
add_executable(larch_with_keylog ${PROJECT_SOURCE_DIR}/apps/larch/main.c
  ${PROJECT_SOURCE_DIR}/apps/larch/common/keylog.c ${PROJECT_SOURCE_DIR}/apps/larch/common/session.c
  ${PROJECT_SOURCE_DIR}/apps/larch/common/shake.c ${PROJECT_SOURCE_DIR}/apps/larch/gateway/devices.c
  ${PROJECT_SOURCE_DIR}/apps/larch/gateway/gateway.c ${PROJECT_SOURCE_DIR}/apps/larch/gateway/lake.c
  ${PROJECT_SOURCE_DIR}/apps/larch/gateway/lake_find.c
  ${PROJECT_SOURCE_DIR}/apps/larch/gateway/sessions.c ${PROJECT_SOURCE_DIR}/apps/larch/keys/context.c
  ${PROJECT_SOURCE_DIR}/registry/sessions.c ${PROJECT_SOURCE_DIR}/registry/sessions_change.c
  ${PROJECT_SOURCE_DIR}/registry/sessions_enrolled.c ${PROJECT_SOURCE_DIR}/registry/sessions_grants.c
  ${PROJECT_SOURCE_DIR}/registry/sessions_keep.c
  ${PROJECT_SOURCE_DIR}/registry/sessions_store.c ${PROJECT_SOURCE_DIR}/src/lake/keylog.c
  ${PROJECT_SOURCE_DIR}/src/lake/message_2.c ${PROJECT_SOURCE_DIR}/src/lake/message_3.c
  ${PROJECT_SOURCE_DIR}/src/lake/psk.c ${PROJECT_SOURCE_DIR}/src/oscore/keylog.c)
target_include_directories(larch_with_keylog PRIVATE ${PROJECT_SOURCE_DIR}/apps/larch ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(larch_with_keylog PRIVATE LARCH_KEYLOG=1 LARCH_VERSION="${PROJECT_VERSION}")
target_link_libraries(larch_with_keylog PRIVATE larch_commands larch_registry)
larch_warnings(larch_with_keylog)
larch_test(e2e.keylog e2e 120 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_keylog.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:larch_with_keylog>)
larch_test(e2e.sniff_lake e2e 120 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_sniff_lake.py
  $<TARGET_FILE:larch_program> $<TARGET_FILE:larch_with_keylog>)
gateway_test(kill9 180 kill9.py 40)
gateway_test(kill9_long 1500 kill9.py 1000)
larch_tests_long(e2e.kill9_long)
function(oscore_kill_test name timeout kills)
  larch_test(e2e.${name} e2e ${timeout} ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/kill9_oscore.py
    $<TARGET_FILE:larch_program> ${kills})
endfunction()
oscore_kill_test(kill9_oscore 180 12)
oscore_kill_test(kill9_oscore_long 1500 150)
larch_tests_long(e2e.kill9_oscore_long)
function(lake_kill_test name timeout kills)
  larch_test(e2e.${name} e2e ${timeout} ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/kill9_lake.py
    $<TARGET_FILE:larch_program> ${kills})
endfunction()
lake_kill_test(kill9_lake 180 15)
lake_kill_test(kill9_lake_long 1500 150)
larch_tests_long(e2e.kill9_lake_long)
larch_test(e2e.network e2e 180 ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_network.py
  $<TARGET_FILE:larch_program>)
larch_tests_long(e2e.network e2e.fleet e2e.backup_file)
