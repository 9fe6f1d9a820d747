/* SPDX-License-Identifier: Apache-2.0 */
#include "birth.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define TIME_LEN 12 /* seconds and nanoseconds, big-endian */

/* false: the file system does not say. */
static bool read_birth(const larch_posix_storage *files, uint8_t time[TIME_LEN])
{
    struct statx st;
    if (statx(files->folder, LARCH_STATE_HEAD_NAME, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &st) != 0 ||
        (st.stx_mask & STATX_BTIME) == 0 || st.stx_btime.tv_sec == 0)
        return false;
    larch_writer w = larch_writer_to(time, TIME_LEN);
    larch_writer_put_u64(&w, (uint64_t)st.stx_btime.tv_sec);
    larch_writer_put_u32(&w, st.stx_btime.tv_nsec);
    return true;
}

larch_store_fault larch_posix_birth_check(const larch_posix_storage *files, const larch_storage *interface,
                                          const larch_state_head *head)
{
    uint8_t noted[TIME_LEN], now[TIME_LEN];
    size_t len;
    larch_store_fault fault;
    larch_storage of_head = *interface, before = *interface;
    of_head.start = head->start;
    before.start = head->start - 1;
    larch_error e =
        larch_record_read(&before, LARCH_POSIX_BIRTH_NAME, LARCH_RECORD_BIRTH, noted, sizeof noted, &len, &fault);
    if (e == LARCH_OK || fault == LARCH_STORE_MISSING) /* of an earlier start: this one was cut */
        return LARCH_STORE_NONE;
    if (fault == LARCH_STORE_AHEAD)
        e = larch_record_read(&of_head, LARCH_POSIX_BIRTH_NAME, LARCH_RECORD_BIRTH, noted, sizeof noted, &len, &fault);
    if (e != LARCH_OK)
        return fault;
    if (len != sizeof noted)
        return LARCH_STORE_KIND;
    return !read_birth(files, now) || memcmp(noted, now, sizeof now) == 0 ? LARCH_STORE_NONE : LARCH_STORE_COPY;
}

larch_store_fault larch_posix_birth_note(const larch_posix_storage *files, const larch_storage *interface)
{
    uint8_t now[TIME_LEN];
    if (!read_birth(files, now))
        return LARCH_STORE_NONE;
    const larch_error e =
        larch_record_write(interface, LARCH_POSIX_BIRTH_NAME, LARCH_RECORD_BIRTH, LARCH_BYTES(now), 0);
    return e == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
}
