# SPDX-License-Identifier: Apache-2.0
set(LARCH_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/larch)

install(TARGETS larch EXPORT larchTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/larch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET larch_program)
  install(TARGETS larch_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Wireshark finds it once it is linked into its own folder, as its first lines say.
  install(FILES tools/wireshark/larch.lua DESTINATION ${CMAKE_INSTALL_DATADIR}/larch/wireshark)
endif()
configure_package_config_file(cmake/larchConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/larchConfig.cmake
  INSTALL_DESTINATION ${LARCH_CMAKEDIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/larchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT larchTargets NAMESPACE larch:: DESTINATION ${LARCH_CMAKEDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larchConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/larchConfigVersion.cmake
  DESTINATION ${LARCH_CMAKEDIR})

if(LARCH_CRYPTO_PROVIDER STREQUAL "psa")
  install(FILES cmake/FindMbedCrypto.cmake DESTINATION ${LARCH_CMAKEDIR})
  set(LARCH_PC_CRYPTO "Libs.private: -lmbedcrypto")
else()
  set(LARCH_PC_CRYPTO "Requires.private: libcrypto >= 3.0")
endif()

# Relative to the file itself, so that an installed tree may be moved.
file(RELATIVE_PATH LARCH_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" LARCH_PC_TO_PREFIX ${LARCH_PC_TO_PREFIX})
list(TRANSFORM LARCH_CONFIG PREPEND " -D" OUTPUT_VARIABLE LARCH_PC_CONFIG)
list(JOIN LARCH_PC_CONFIG "" LARCH_PC_CONFIG)
configure_file(cmake/larch.pc.in ${CMAKE_CURRENT_BINARY_DIR}/larch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
