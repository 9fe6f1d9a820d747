/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "local.h"
#include "system.h"

#define DEADLINE_MS 2000 /* for a client's request: one write by one process of this machine */
#define REST_MS     1000 /* before the next try to accept, when the process has no descriptor left */

/* ---- clients ----------------------------------------------------------------- */

static void close_client(gateway_control_client *client)
{
    if (client->watch.fd < 0)
        return;
    gateway_control *control = client->control;
    const gateway_control_verb *verb = client->verb;
    client->verb = NULL;
    if (verb != NULL)
        verb->left(verb->context, client);
    larch_loop_disarm_timer(control->loop, &client->deadline);
    larch_loop_remove_watch(control->loop, &client->watch);
    (void)close(client->watch.fd);
    client->watch.fd = -1;
    larch_wipe(client->line, sizeof client->line);
    larch_loop_change_watch(control->loop, &control->listener, LARCH_LOOP_READ);
}

/* False: not all of it fits the socket, or the client has gone. */
static bool send_bytes(const gateway_control_client *client, const larch_writer *w)
{
    larch_bytes bytes;
    return larch_writer_finish(w, &bytes) == LARCH_OK &&
           send(client->watch.fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes.len;
}

/* Nothing was written to it before, so a reply fits its buffer; a client that has gone misses it. */
static void reply(gateway_control_client *client, const larch_writer *w)
{
    (void)send_bytes(client, w);
    close_client(client);
}

static void refuse(gateway_control_client *client, const char *why)
{
    uint8_t bytes[LARCH_CONTROL_WHY_MAX + 3];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_control_put_end(&w, why);
    reply(client, &w);
}

static void expire(larch_loop_timer *timer) { close_client(timer->context); }

bool gateway_control_put(gateway_control_client *client, const char *text)
{
    uint8_t bytes[LARCH_CONTROL_LINE_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_control_put_data(&w, text);
    const bool is_sent = send_bytes(client, &w);
    if (!is_sent)
        close_client(client);
    larch_wipe(bytes, sizeof bytes);
    return is_sent;
}

void gateway_control_finish(gateway_control_client *client, const char *why)
{
    client->verb = NULL;
    refuse(client, why);
}

/* ---- requests ---------------------------------------------------------------- */

static const gateway_control_verb *find_verb(const gateway_control *control, larch_bytes name)
{
    for (size_t i = 0; i < control->verb_count; i++) {
        const char *known = control->verbs[i].name;
        if (larch_bytes_equal(name, (larch_bytes){(const uint8_t *)known, strlen(known)}))
            return &control->verbs[i];
    }
    return NULL;
}

static void take_request(gateway_control_client *client, larch_bytes line)
{
    uint8_t bytes[LARCH_CONTROL_REPLY_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_control_request request;
    char why[LARCH_CONTROL_WHY_MAX] = "";
    const larch_error e = larch_control_parse_request(line, &request);
    if (e != LARCH_OK) {
        refuse(client, e == LARCH_STATE ? "the gateway is of another version than the command" : "this is no request");
        return;
    }
    const gateway_control_verb *verb = find_verb(client->control, request.word[0]);
    if (verb == NULL || request.count - 1 != verb->arguments) {
        refuse(client,
               verb == NULL ? "the gateway does not know this request" : "the request has not the words that it needs");
        return;
    }
    if (verb->begin != NULL) {
        larch_loop_disarm_timer(client->control->loop, &client->deadline);
        if (verb->begin(verb->context, client, &request, why))
            client->verb = verb;
        else
            refuse(client, why);
        return;
    }
    const bool is_done = verb->run(verb->context, &request, &w, why);
    larch_control_put_end(&w, is_done ? NULL : why);
    reply(client, &w);
}

static void take_bytes(larch_loop_watch *watch, unsigned events)
{
    gateway_control_client *client = watch->context;
    (void)events;
    uint8_t more;
    const bool is_begun = client->verb != NULL;
    const ssize_t n = is_begun ? recv(watch->fd, &more, 1, 0)
                               : recv(watch->fd, client->line + client->len, sizeof client->line - client->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || is_begun) { /* it has gone, or says more than its request */
        close_client(client);
        return;
    }
    client->len += (size_t)n;
    const uint8_t *end = memchr(client->line, '\n', client->len);
    if (!client->is_allowed) /* not sooner: who still writes would miss it */
        refuse(client, "only root and the gateway's own user may ask");
    else if (end != NULL && end == client->line + client->len - 1)
        take_request(client, (larch_bytes){client->line, client->len - 1});
    else if (end != NULL)
        refuse(client, "a connection carries one request");
    else if (client->len == sizeof client->line)
        refuse(client, "the request is too long");
}

/* ---- listening --------------------------------------------------------------- */

static gateway_control_client *find_place(gateway_control *control)
{
    for (size_t i = 0; i < GATEWAY_CONTROL_CLIENTS; i++)
        if (control->clients[i].watch.fd < 0)
            return &control->clients[i];
    return NULL;
}

static void take_client(larch_loop_watch *watch, unsigned events)
{
    gateway_control *control = watch->context;
    gateway_control_client *client = find_place(control);
    bool is_allowed;
    (void)events;
    if (client == NULL) {
        larch_loop_change_watch(control->loop, watch, 0); /* who leaves its place wakes it */
        return;
    }
    const int fd = larch_local_accept(watch->fd, &is_allowed);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            larch_loop_change_watch(control->loop, watch, 0); /* poll would find it again at once */
            larch_loop_arm_timer(control->loop, &control->again, larch_posix_now_ms() + REST_MS);
        }
        return;
    }
    *client = (gateway_control_client){.control = control,
                                       .is_allowed = is_allowed,
                                       .watch = {.fd = fd, .ready = take_bytes, .context = client},
                                       .deadline = {.due = expire, .context = client}};
    if (larch_loop_add_watch(control->loop, &client->watch, LARCH_LOOP_READ) != LARCH_OK) {
        refuse(client, "the gateway has no place left; try again");
        return;
    }
    larch_loop_arm_timer(control->loop, &client->deadline, larch_posix_now_ms() + DEADLINE_MS);
}

static void listen_again(larch_loop_timer *timer)
{
    gateway_control *control = timer->context;
    larch_loop_change_watch(control->loop, &control->listener, LARCH_LOOP_READ);
}

int gateway_control_open(gateway_control *control, int folder, const gateway_control_verb *verbs, size_t verb_count,
                         larch_posix_reason *why)
{
    *control = (gateway_control){.folder = folder, .verbs = verbs, .verb_count = verb_count};
    for (size_t i = 0; i < GATEWAY_CONTROL_CLIENTS; i++)
        control->clients[i].watch.fd = -1;
    control->listener.fd = larch_local_listen(folder, LARCH_CONTROL_NAME, why);
    return control->listener.fd >= 0 ? 0 : -1;
}

larch_error gateway_control_watch(gateway_control *control, larch_loop *loop)
{
    control->loop = loop;
    control->listener.ready = take_client;
    control->listener.context = control;
    control->again = (larch_loop_timer){.due = listen_again, .context = control};
    return control->listener.fd >= 0 ? larch_loop_add_watch(loop, &control->listener, LARCH_LOOP_READ) : LARCH_OK;
}

void gateway_control_close(gateway_control *control)
{
    if (control->listener.fd < 0)
        return;
    for (size_t i = 0; i < GATEWAY_CONTROL_CLIENTS; i++)
        close_client(&control->clients[i]);
    larch_loop_disarm_timer(control->loop, &control->again);
    larch_loop_remove_watch(control->loop, &control->listener);
    (void)unlinkat(control->folder, LARCH_CONTROL_NAME, 0); /* while the lock is held: it is ours */
    (void)close(control->listener.fd);
    control->listener.fd = -1;
}
