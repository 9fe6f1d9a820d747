/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes report that nobody reads them any more even while nobody writes: poll finds an error on their writing end. */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "sniff/engine.h"

/* Its writing end alone: one that reads too never loses its last reader. */
static bool is_pipe(FILE *file)
{
    struct stat about;
    return file != NULL && fstat(fileno(file), &about) == 0 && S_ISFIFO(about.st_mode) &&
           (fcntl(fileno(file), F_GETFL) & O_ACCMODE) == O_WRONLY;
}

/* The pipes that are written to: the capture, and what is printed. */
static size_t find_pipes(const larch_engine *e, int fds[2])
{
    size_t count = 0;
    if (is_pipe(e->pcapng_file))
        fds[count++] = fileno(e->pcapng_file);
    if (e->alert_lines != NULL && e->alert_lines != stderr && is_pipe(e->alert_lines))
        fds[count++] = fileno(e->alert_lines);
    return count;
}

static void lose_reader(larch_loop_watch *watch, unsigned events)
{
    struct larch_engine_reader *reader = watch->context;
    (void)events;
    reader->engine->unread = true;
    larch_loop_stop(reader->loop, LARCH_EXIT_DONE);
}

larch_error larch_engine_watch_readers(larch_engine *e, larch_loop *loop)
{
    int fds[2];
    larch_error r = LARCH_OK;
    const size_t count = find_pipes(e, fds);
    for (size_t i = 0; i < count && r == LARCH_OK; i++) {
        e->readers[i] = (struct larch_engine_reader){.loop = loop, .engine = e};
        e->readers[i].watch = (larch_loop_watch){.fd = fds[i], .ready = lose_reader, .context = &e->readers[i]};
        r = larch_loop_add_watch(loop, &e->readers[i].watch,
                                 LARCH_LOOP_READ); /* a writing end has nothing else to report */
    }
    return r;
}

bool larch_engine_has_readers(larch_engine *e)
{
    int fds[2];
    struct pollfd polled[2];
    const size_t count = find_pipes(e, fds);
    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = fds[i], .events = 0};
    e->unread = e->unread || poll(polled, count, 0) > 0;
    return !e->unread;
}
