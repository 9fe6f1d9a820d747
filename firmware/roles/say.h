/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of talk on the serial line, without stdio and without memory of their own. */
#ifndef LARCH_SAY_H
#define LARCH_SAY_H

#include "larch/base.h"

#define LARCH_SAY_MAX 240 /* bytes of a line; the rest is cut */

/* One line, whole, whichever task says it. It waits for room, but no longer than a second: a line that nobody reads stops no
 * role. What got no room is counted, and the count is said once there is room again. In format:
 *
 *     %s  const char *
 *     %u  uint32_t, decimal
 *     %U  uint64_t, decimal
 *     %q  const larch_bytes *, untrusted: printable ASCII as it is, \ as \\, all else as \xNN
 *     %a  const larch_peer *: "10.0.0.2:5683"; IPv6 in brackets, uncompressed
 *     %%  a percent sign
 */
void larch_say(const char *format, ...);

/* The same, into a writer. */
void larch_say_put(larch_writer *w, const char *format, ...);

/* Where lines go; the line itself at first. A role whose line carries records puts them there. The sink takes all of a line,
 * or returns false if there is no room for it now. */
void larch_say_through(bool (*sink)(larch_bytes line));

#endif
