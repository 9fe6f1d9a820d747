# SPDX-License-Identifier: Apache-2.0
# The pq room, as the library and the constant-time test compile it. Only the
# files of a level may use its instructions, so each gets its own flags.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  option(LARCH_X86 "AVX2 and AVX-512 for ML-KEM and ML-DSA, chosen at run time" ON)
else()
  set(LARCH_X86 OFF)
endif()

function(larch_pq_sources target)
  set(pq ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../src/pq)
  target_sources(${target} PRIVATE ${pq}/keccak.c ${pq}/keccak_32.c ${pq}/shake_many.c ${pq}/mlkem.c ${pq}/mlkem_poly.c
    ${pq}/mlkem_32.c ${pq}/mlkem_32_ntt.c ${pq}/mlkem_32_poly.c ${pq}/mldsa.c ${pq}/mldsa_pack.c ${pq}/mldsa_poly.c ${pq}/mldsa_round.c ${pq}/mldsa_sample.c ${pq}/mldsa_shared.c ${pq}/mldsa_sign.c ${pq}/mldsa_verify.c)
  if(NOT LARCH_X86)
    return()
  endif()
  set(x86 ${pq}/x86)
  set(avx2 -mavx2 -mbmi -mbmi2 -mpopcnt)
  set(avx512 ${avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi -mavx512vbmi2)
  # gcc's second scheduler, and its reassociation of exclusive-ors, move Keccak's words away from
  # their use and spill them: 10 % slower.
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(in_order -fno-schedule-insns2 -fno-tree-reassoc)
    # The portable one loses 2 % to the former, and nothing to the latter.
    set_source_files_properties(${pq}/keccak.c TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS -fno-schedule-insns2)
  endif()
  target_sources(${target} PRIVATE ${x86}/dispatch.c ${x86}/mlkem_x86.c ${x86}/sponges.c ${x86}/shake_many.c ${x86}/tables.c
    ${x86}/keccak_avx2.c ${x86}/poly_avx2.c ${x86}/sample_avx2.c
    ${x86}/keccak_avx512.c ${x86}/poly_avx512.c ${x86}/sample_avx512.c
    ${x86}/mldsa_dispatch.c ${x86}/mldsa_x86.c ${x86}/mldsa_x86_sign.c ${x86}/mldsa_sponges.c ${x86}/mldsa_tables.c
    ${x86}/mldsa_avx2.c ${x86}/mldsa_avx512.c)
  set_source_files_properties(${x86}/poly_avx2.c ${x86}/sample_avx2.c ${x86}/mldsa_avx2.c
    TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx2}")
  set_source_files_properties(${x86}/poly_avx512.c ${x86}/sample_avx512.c ${x86}/mldsa_avx512.c
    TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx512}")
  set_source_files_properties(${x86}/keccak_avx2.c
    TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx2};${in_order}")
  set_source_files_properties(${x86}/keccak_avx512.c
    TARGET_DIRECTORY ${target} PROPERTIES COMPILE_OPTIONS "${avx512};${in_order}")
  target_compile_definitions(${target} PRIVATE LARCH_X86=1)
endfunction()
