# SPDX-License-Identifier: Apache-2.0
install(TARGETS larch EXPORT larchTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/larch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/larchConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/larchConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/larch)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/larchConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT larchTargets NAMESPACE larch:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/larch)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larchConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/larchConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/larch)

configure_file(cmake/larch.pc.in ${CMAKE_CURRENT_BINARY_DIR}/larch.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/larch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
