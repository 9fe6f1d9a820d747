/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_CT_PUBLIC_H
#define LARCH_CT_PUBLIC_H

/* Says that bytes which were made from secrets are public from here on. Empty, except in the copy that the constant-time
 * test builds for valgrind. */
#ifdef LARCH_CT_VALGRIND
#include <valgrind/memcheck.h>
#define LARCH_CT_PUBLIC(bytes, len) ((void)VALGRIND_MAKE_MEM_DEFINED(bytes, len))
#else
#define LARCH_CT_PUBLIC(bytes, len) ((void)0)
#endif

#endif
