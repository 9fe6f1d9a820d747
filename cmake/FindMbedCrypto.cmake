# SPDX-License-Identifier: Apache-2.0
# Mbed TLS 2.28 brings no package file of its own: this finds its crypto
# library, for this build and, installed beside larchConfig.cmake, for larch's
# users. Defines MbedCrypto::MbedCrypto.
find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
find_path(MBEDCRYPTO_INCLUDE psa/crypto.h)
mark_as_advanced(MBEDCRYPTO_LIBRARY MBEDCRYPTO_INCLUDE)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MbedCrypto REQUIRED_VARS MBEDCRYPTO_LIBRARY MBEDCRYPTO_INCLUDE
  REASON_FAILURE_MESSAGE "it is Debian's libmbedtls-dev")

if(MbedCrypto_FOUND AND NOT TARGET MbedCrypto::MbedCrypto)
  add_library(MbedCrypto::MbedCrypto UNKNOWN IMPORTED GLOBAL)
  set_target_properties(MbedCrypto::MbedCrypto PROPERTIES
    IMPORTED_LOCATION ${MBEDCRYPTO_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${MBEDCRYPTO_INCLUDE})
endif()
