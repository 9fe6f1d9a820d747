/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of talk on the serial line, without stdio and without memory of their own. */
#ifndef LARCH_SAY_H
#define LARCH_SAY_H

#include "larch/base.h"

#define LARCH_SAY_MAX 240 /* bytes of a line; the rest is cut */

/* One line, whole, whichever task says it; waits while the line is full. In format:
 *
 *     %s  const char *
 *     %u  uint32_t, decimal
 *     %q  const larch_bytes *, untrusted: printable ASCII as it is, \ as \\, all else as \xNN
 *     %a  const larch_peer *: "10.0.0.2:5683"; IPv6 in brackets, uncompressed
 *     %%  a percent sign
 */
void larch_say(const char *format, ...);

/* The same, into a writer. */
void larch_say_put(larch_writer *w, const char *format, ...);

/* Where lines go; the line itself at first. A role whose line carries records puts them there. */
void larch_say_through(void (*sink)(larch_bytes line));

#endif
