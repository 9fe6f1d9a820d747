/* SPDX-License-Identifier: Apache-2.0 */
/* One face for files and interfaces. */
#include <stdlib.h>

#include "sniff/capture/capture_int.h"

struct larch_sniff_capture {
    larch_sniff_live *live; /* or */
    larch_sniff_file *file;
};

/* Takes over either of the two, if it could be opened. */
static larch_sniff_capture *wrap(larch_sniff_live *live, larch_sniff_file *file, const char *name,
                                 larch_sniff_trouble *trouble)
{
    if (live == NULL && file == NULL)
        return NULL; /* *trouble says why already */
    larch_sniff_capture *capture = calloc(1, sizeof *capture);
    if (capture != NULL) {
        *capture = (larch_sniff_capture){live, file};
        return capture;
    }
    larch_sniff_explain(trouble, name, "out of memory", "");
    if (live != NULL)
        larch_sniff_live_close(live);
    else
        larch_sniff_file_close(file);
    return NULL;
}

larch_sniff_capture *larch_sniff_capture_open_file(const char *path, larch_sniff_trouble *trouble)
{
    return wrap(NULL, larch_sniff_file_open(path, trouble), path, trouble);
}

larch_sniff_capture *larch_sniff_capture_open_live(const char *interface, larch_sniff_trouble *trouble)
{
    return wrap(larch_sniff_live_open(interface, trouble), NULL, interface, trouble);
}

uint32_t larch_sniff_capture_linktype(const larch_sniff_capture *capture)
{
    return capture->live != NULL ? larch_sniff_live_linktype(capture->live) : UINT32_MAX;
}

uint32_t larch_sniff_capture_snaplen(const larch_sniff_capture *capture)
{
    return capture->live != NULL ? LARCH_SNIFF_SNAPLEN : larch_sniff_file_snaplen(capture->file);
}

int larch_sniff_capture_fd(const larch_sniff_capture *capture)
{
    return capture->live != NULL ? -1 : larch_sniff_file_fd(capture->file);
}

larch_error larch_sniff_capture_next(larch_sniff_capture *capture, larch_sniff_frame *frame,
                                     larch_sniff_trouble *trouble)
{
    return capture->live != NULL ? larch_sniff_live_next(capture->live, frame, trouble)
                                 : larch_sniff_file_next(capture->file, frame, trouble);
}

void larch_sniff_capture_stop(larch_sniff_capture *capture)
{
    if (capture->live != NULL)
        larch_sniff_live_stop(capture->live);
    else
        larch_sniff_file_stop(capture->file);
}

uint64_t larch_sniff_capture_drops(larch_sniff_capture *capture)
{
    return capture->live != NULL ? larch_sniff_live_drops(capture->live) : 0;
}

void larch_sniff_capture_close(larch_sniff_capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->live != NULL)
        larch_sniff_live_close(capture->live);
    else
        larch_sniff_file_close(capture->file);
    free(capture);
}
