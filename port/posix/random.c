/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "larch/crypto.h"
#include "system.h"

#define STOCK 1024 /* bytes drawn at once: the cost of a system call is spread over 32 seeds */

/* Stands in a page of its own, which the kernel zeroes in a child: left is then 0. An emulator may only say that it does
 * (QEMU 7.2), so a child of fork empties it too. */
typedef struct larch_random_stock {
    size_t left;
    uint8_t bytes[STOCK]; /* the first left of them are unused, the others zero */
    bool has_more;
    uint8_t more[LARCH_POSIX_SEED_LEN]; /* keys what is added */
} larch_random_stock;

static larch_random_stock *stock; /* NULL: none was made, or the system cannot promise what it takes */

static void empty_in_child(void)
{
    if (stock != NULL)
        larch_wipe(stock, sizeof *stock);
}

static larch_error draw_kernel(uint8_t *out, size_t len)
{
    while (len > 0) {
        const ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return LARCH_PLATFORM;
        out += got;
        len -= (size_t)got;
    }
    return LARCH_OK;
}

/* Adds a stream, and replaces its key, so that what was given out cannot be computed again. */
static void add_more(uint8_t *out, size_t len)
{
    uint8_t stream[STOCK];
    while (len > 0) {
        const size_t part = len < sizeof stream ? len : sizeof stream;
        larch_kmac256(LARCH_BYTES(stock->more), LARCH_TEXT("larch entropy"), NULL, 0, stream, part);
        for (size_t i = 0; i < part; i++)
            out[i] ^= stream[i];
        larch_kmac256(LARCH_BYTES(stock->more), LARCH_TEXT("larch entropy next"), NULL, 0, stream, sizeof stock->more);
        memcpy(stock->more, stream, sizeof stock->more);
        out += part;
        len -= part;
    }
    larch_wipe(stream, sizeof stream);
}

static larch_error draw(uint8_t *out, size_t len)
{
    const larch_error e = draw_kernel(out, len);
    if (e == LARCH_OK && stock != NULL && stock->has_more)
        add_more(out, len);
    return e;
}

/* NULL if the system cannot promise that a child finds it empty: then every draw is a call. */
static larch_random_stock *make_stock(void)
{
    const size_t size =
        (sizeof(larch_random_stock) / (size_t)sysconf(_SC_PAGESIZE) + 1) * (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, size, MADV_WIPEONFORK) != 0 || madvise(page, size, MADV_DONTDUMP) != 0 ||
        pthread_atfork(NULL, NULL, empty_in_child) != 0) {
        (void)munmap(page, size);
        return NULL;
    }
    (void)mlock(page, size); /* where the limit allows it */
    return page;
}

static void find_stock(void)
{
    static bool tried;
    if (!tried)
        stock = make_stock();
    tried = true;
}

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    find_stock();
    if (stock == NULL || len > STOCK / 4)
        return draw(out, len);
    if (stock->left < len) {
        stock->left = 0;
        if (draw(stock->bytes, STOCK) != LARCH_OK)
            return LARCH_PLATFORM;
        stock->left = STOCK;
    }
    stock->left -= len;
    memcpy(out, stock->bytes + stock->left, len);
    larch_wipe(stock->bytes + stock->left, len);
    return LARCH_OK;
}

larch_random larch_posix_random(void) { return (larch_random){fill, NULL}; }

/* What was drawn before is dropped. A seed of old stays in the new key. */
void larch_posix_random_add(const uint8_t seed[LARCH_POSIX_SEED_LEN])
{
    uint8_t key[LARCH_POSIX_SEED_LEN];
    find_stock();
    if (stock == NULL)
        return;
    const larch_bytes pieces[] = {{seed, LARCH_POSIX_SEED_LEN}};
    larch_kmac256(LARCH_BYTES(stock->more), LARCH_TEXT("larch entropy seed"), pieces, 1, key, sizeof key);
    memcpy(stock->more, key, sizeof key);
    larch_wipe(key, sizeof key);
    larch_wipe(stock->bytes, sizeof stock->bytes);
    stock->left = 0;
    stock->has_more = true;
}
