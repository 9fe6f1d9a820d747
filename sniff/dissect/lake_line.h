/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a key log with the secrets of a handshake, which is a comment to Wireshark:
 *
 *     #LAKE_2 TH_2 PRK_2e TH_3 PRK_3e2m
 *     #LAKE_3 TH_3 PRK_4e3m TH_4 CREDS
 *
 * One space stands before each value, which is hexadecimal. The first three, and PRK_3e2m, have the length of the suite's
 * hash: 32, 48 or 64 bytes. CREDS are CRED_I and CRED_R behind each other in method 4, else "-".
 */
#ifndef LARCH_SNIFF_LAKE_LINE_H
#define LARCH_SNIFF_LAKE_LINE_H

#include "larch/lake_observer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a line of a key log is one of these. */
bool larch_sniff_is_lake_line(larch_bytes line);
/* Reads one, without its line feed; it is untrusted. LARCH_MALFORMED: *why says what is wrong, in constant words without
 * anything of the line; *out is wiped. What *out does not use is zero. */
LARCH_MUST_USE larch_error larch_sniff_lake_line_parse(larch_bytes line, larch_lake_secrets *out, const char **why);

#ifdef __cplusplus
}
#endif

#endif
