/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder: a source of frames is a capture file or an interface. */
#ifndef LARCH_SNIFF_CAPTURE_INT_H
#define LARCH_SNIFF_CAPTURE_INT_H

#include "sniff/capture/capture.h"

/* Fills *trouble: "what: why". hint: "" if nobody can do anything about it. */
void larch_sniff_explain(larch_sniff_trouble *trouble, const char *what, const char *why, const char *hint);
/* Fills *trouble: a link type that cannot be read. */
void larch_sniff_explain_link(larch_sniff_trouble *trouble, const char *what, uint32_t linktype);

/* An interface, through libpcap. The functions do what those of capture.h promise. */
typedef struct larch_sniff_live larch_sniff_live;
larch_sniff_live *larch_sniff_live_open(const char *interface, larch_sniff_trouble *trouble);
uint32_t larch_sniff_live_linktype(const larch_sniff_live *live);
LARCH_MUST_USE larch_error larch_sniff_live_next(larch_sniff_live *live, larch_sniff_frame *frame,
                                                 larch_sniff_trouble *trouble);
void larch_sniff_live_stop(larch_sniff_live *live);
uint64_t larch_sniff_live_drops(larch_sniff_live *live);
void larch_sniff_live_close(larch_sniff_live *live);

/* A capture file. The functions do what those of capture.h promise. */
typedef struct larch_sniff_file larch_sniff_file;
larch_sniff_file *larch_sniff_file_open(const char *path, larch_sniff_trouble *trouble);
int larch_sniff_file_fd(const larch_sniff_file *file);
uint32_t larch_sniff_file_snaplen(const larch_sniff_file *file);
LARCH_MUST_USE larch_error larch_sniff_file_next(larch_sniff_file *file, larch_sniff_frame *frame,
                                                 larch_sniff_trouble *trouble);
void larch_sniff_file_stop(larch_sniff_file *file);
void larch_sniff_file_close(larch_sniff_file *file);

#endif
