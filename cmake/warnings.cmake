# SPDX-License-Identifier: Apache-2.0
# The warnings that every line of larch is held to.
function(larch_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
    $<$<BOOL:${LARCH_WERROR}>:-Werror>)
  if(LARCH_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${LARCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${LARCH_SANITIZE})
  endif()
endfunction()
