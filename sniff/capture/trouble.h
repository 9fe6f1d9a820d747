/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_SNIFF_TROUBLE_H
#define LARCH_SNIFF_TROUBLE_H

/* What went wrong, for people. hint: what to do about it, or "". */
typedef struct larch_sniff_trouble {
    char text[512];
    const char *hint;
} larch_sniff_trouble;

#endif
