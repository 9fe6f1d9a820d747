/* SPDX-License-Identifier: Apache-2.0 */
/* The last readings of a batch on their way: collected with its messages, stored in its transaction, then shown. */
#include <stdlib.h>

#include "registry/outbox_int.h"

#define KEEP_CAP (1u << 20) /* memory of a transaction beyond this is given back */

larch_error larch_outbox_take_reading(larch_outbox *ob, const larch_outbox_message *m)
{
    if (m->path.len == 0 || (m->kind != 'O' && m->kind != 'N'))
        return LARCH_OK;
    const larch_error e = larch_last_put(
        &ob->last, m->path,
        &(larch_outbox_last_reading){.time_ms = m->time_ms, .device = m->device, .format = m->format, .text = m->text});
    return e == LARCH_PLATFORM ? larch_outbox_fail_memory(ob) : e;
}

larch_error larch_outbox_last(const larch_outbox *ob, larch_bytes path, larch_outbox_last_reading *reading)
{
    return larch_last_get(&ob->last, path, reading);
}

void larch_outbox_forget_path(larch_outbox *ob, larch_bytes path) { larch_last_forget(&ob->last, path); }

size_t larch_outbox_forget_device(larch_outbox *ob, larch_bytes device)
{
    return larch_last_forget_device(&ob->last, device);
}

larch_error larch_outbox_compose_last(larch_outbox *ob, bool with_fresh, larch_outbox_log *log)
{
    larch_writer w = larch_writer_to(NULL, 0);
    const uint64_t head = larch_last_compose(&ob->last, with_fresh, &w);
    if (!larch_outbox_batch_reserve(&ob->last_log, w.len))
        return larch_outbox_fail_memory(ob);
    w = larch_writer_to(ob->last_log.data, ob->last_log.cap);
    (void)larch_last_compose(&ob->last, with_fresh, &w);
    *log = (larch_outbox_log){
        .entries = {ob->last_log.data, w.len}, .ends = ob->last.next + w.len, .head = head > ob->last.head ? head : 0};
    return LARCH_OK;
}

void larch_outbox_last_stored(larch_outbox *ob, bool with_fresh, const larch_outbox_log *log)
{
    larch_last_stored(&ob->last, with_fresh);
    if (log->head > 0)
        ob->last.head = log->head;
    if (ob->last_log.cap > KEEP_CAP)
        larch_outbox_free_last_log(ob);
}

void larch_outbox_free_last_log(larch_outbox *ob)
{
    free(ob->last_log.data);
    ob->last_log = (larch_outbox_batch){0};
}
