/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sniff/capture/capture_int.h"
#include "sniff/capture/file_int.h"

struct larch_sniff_file {
    larch_sniff_input in;
    bool is_pcapng; /* which of the two below */
    larch_sniff_pcap pcap;
    larch_sniff_pcapng_reader pcapng;
    uint64_t frames;
    bool readable;     /* one of them was */
    uint32_t linktype; /* of the last one */
};

/* Some systems write the number of their own libpcap instead of the file format's. */
static uint32_t linktype_of(uint32_t number) { return number == 12 || number == 14 ? LARCH_SNIFF_LINK_RAW : number; }

/* Reads up to the first frame. False: *trouble. */
static bool begin(larch_sniff_file *file, FILE *stream, const char *name, larch_sniff_trouble *trouble)
{
    const char *why = "it is empty";
    larch_error r = larch_sniff_input_begin(&file->in, stream);
    if (r == LARCH_OK) {
        const larch_sniff_format format = larch_sniff_format_find((larch_bytes){file->in.head, file->in.head_len});
        if (format.kind == LARCH_SNIFF_FORMAT_FOREIGN) {
            (void)snprintf(trouble->text, sizeof trouble->text, "%s: it is %s, which larch does not read", name,
                           format.name);
            trouble->hint = format.hint;
            return false;
        }
        if (format.kind == LARCH_SNIFF_FORMAT_UNKNOWN) {
            larch_sniff_explain(trouble, name, "it is no capture", "it must be one in pcap or pcapng format");
            return false;
        }
        file->is_pcapng = format.kind == LARCH_SNIFF_FORMAT_PCAPNG;
        if (!file->is_pcapng)
            r = larch_sniff_pcap_begin(&file->pcap, &file->in, &why);
    }
    if (r != LARCH_OK)
        larch_sniff_explain(trouble, name, r == LARCH_PLATFORM ? strerror(errno) : why, "");
    else if (!file->is_pcapng && larch_sniff_link_text(linktype_of(file->pcap.linktype)) == NULL)
        larch_sniff_explain_link(trouble, name, file->pcap.linktype);
    else
        return true;
    return false;
}

larch_sniff_file *larch_sniff_file_open(const char *path, larch_sniff_trouble *trouble)
{
    const bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "standard input" : path;
    FILE *stream = standard_input ? stdin : fopen(path, "rb");
    if (stream == NULL) {
        larch_sniff_explain(trouble, path, strerror(errno), "");
        return NULL;
    }
    larch_sniff_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        larch_sniff_explain(trouble, name, "out of memory", "");
        if (!standard_input)
            (void)fclose(stream);
        return NULL;
    }
    if (begin(file, stream, name, trouble))
        return file;
    larch_sniff_file_close(file);
    return NULL;
}

int larch_sniff_file_fd(const larch_sniff_file *file) { return fileno(file->in.stream); }

uint32_t larch_sniff_file_snaplen(const larch_sniff_file *file) { return file->is_pcapng ? 0 : file->pcap.snaplen; }

/* What a reader gave instead of a frame. */
static larch_error end(const larch_sniff_file *file, larch_error r, const char *why, larch_sniff_trouble *trouble)
{
    if (r == LARCH_SPENT && file->frames > 0 && !file->readable && file->in.stopped == 0) {
        larch_sniff_explain_link(trouble, "no frame was read", file->linktype);
        return LARCH_MALFORMED;
    }
    if (r == LARCH_MALFORMED) {
        (void)snprintf(trouble->text, sizeof trouble->text, "capture file is damaged after frame %llu: %s",
                       (unsigned long long)file->frames, why);
        trouble->hint = "";
    }
    if (r == LARCH_PLATFORM)
        larch_sniff_explain(trouble, "capture file", strerror(errno), "");
    return r;
}

larch_error larch_sniff_file_next(larch_sniff_file *file, larch_sniff_frame *frame, larch_sniff_trouble *trouble)
{
    const char *why = "";
    const larch_error r = file->is_pcapng ? larch_sniff_pcapng_next(&file->pcapng, &file->in, frame, &why)
                                          : larch_sniff_pcap_next(&file->pcap, &file->in, frame, &why);
    if (r != LARCH_OK)
        return end(file, r, why, trouble);
    frame->linktype = linktype_of(frame->linktype);
    file->frames++;
    file->linktype = frame->linktype;
    file->readable = file->readable || larch_sniff_link_text(frame->linktype) != NULL;
    return LARCH_OK;
}

void larch_sniff_file_stop(larch_sniff_file *file) { file->in.stopped = 1; }

void larch_sniff_file_close(larch_sniff_file *file)
{
    if (file->in.stream != NULL && file->in.stream != stdin)
        (void)fclose(file->in.stream);
    free(file->in.bytes);
    free(file->pcapng.interfaces);
    free(file);
}
