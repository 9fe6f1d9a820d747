/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/control.h"
#include "local.h"
#include "system.h"

#define SEND_MS 30000 /* for a gateway that does not get round to reading */

/* The buffer holds the line, which may be secret. */
static larch_error send_request(larch_control_client *client, const larch_bytes *words, size_t count)
{
    larch_writer w = larch_writer_to(client->buffer, sizeof client->buffer);
    larch_bytes request;
    larch_error e;
    if ((e = larch_control_put_request(&w, words, count)) != LARCH_OK ||
        (e = larch_writer_finish(&w, &request)) != LARCH_OK)
        return e;
    /* A line fits the buffer of a socket that nothing was written to. */
    e = send(client->fd, request.data, request.len, MSG_NOSIGNAL) == (ssize_t)request.len ? LARCH_OK : LARCH_PLATFORM;
    larch_wipe(client->buffer, request.len);
    return e;
}

larch_error larch_control_begin(larch_control_client *client, int folder, const larch_bytes *words, size_t count)
{
    client->at = client->len = 0;
    client->fd = larch_local_connect(folder, LARCH_CONTROL_NAME, SEND_MS);
    if (client->fd < 0)
        return errno == ENOENT || errno == ECONNREFUSED ? LARCH_STATE : LARCH_PLATFORM;
    const larch_error e = send_request(client, words, count);
    if (e != LARCH_OK)
        larch_control_end(client);
    return e;
}

/* More bytes into the buffer, which has room. */
static larch_error receive(larch_control_client *client, uint64_t until_ms)
{
    struct pollfd fd = {.fd = client->fd, .events = POLLIN};
    const uint64_t now_ms = larch_posix_now_ms();
    const uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    const int ready = poll(&fd, 1, until_ms == UINT64_MAX ? -1 : left_ms < 60000 ? (int)left_ms : 60000);
    if (ready < 0)
        return LARCH_PLATFORM;
    if (ready == 0)
        return larch_posix_now_ms() < until_ms ? LARCH_OK : LARCH_TIMEOUT;
    const ssize_t n = recv(client->fd, client->buffer + client->len, sizeof client->buffer - client->len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN ? LARCH_OK : LARCH_PLATFORM;
    client->len += (size_t)n;
    return n > 0 ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_control_next(larch_control_client *client, uint64_t until_ms, larch_control_reply *reply)
{
    larch_error e;
    memmove(client->buffer, client->buffer + client->at, client->len - client->at);
    client->len -= client->at;
    client->at = 0;
    for (;;) {
        const uint8_t *end = memchr(client->buffer, '\n', client->len);
        if (end != NULL) {
            client->at = (size_t)(end - client->buffer) + 1;
            return larch_control_parse_reply((larch_bytes){client->buffer, client->at - 1}, reply);
        }
        if (client->len == sizeof client->buffer)
            return LARCH_MALFORMED;
        if ((e = receive(client, until_ms)) != LARCH_OK)
            return e;
    }
}

void larch_control_end(larch_control_client *client)
{
    const int reason = errno;
    (void)close(client->fd);
    larch_wipe(client, sizeof *client);
    client->fd = -1;
    errno = reason;
}
