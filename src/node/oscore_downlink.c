/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to devices. A device behind a NAT changes its address when it likes, and only its own authentic requests say
 * where it is. So the address is looked up when a request leaves, and a request that is under way follows. An attacker
 * on the path can pass a device's datagram on from an address of its own, which then gets the device's requests until
 * the next datagram of the device: it can read none, and only delays them.
 */
#include <string.h>

#include "node/oscore_service_int.h"

#if LARCH_SERVER_SESSIONS

#define MOVES_MAX 8     /* of one request: a device that moves and never answers shall not keep a place for ever */
#define LATER_MS  1000u /* until the next try, if there are no numbers or no transmission now */

enum { WAITS, ASKED, ENDS /* an observation's end is on its way */ };

/* ---- the table --------------------------------------------------------- */

static larch_oscore_command *find(larch_oscore_service *oscore, uint32_t handle)
{
    for (size_t i = 0; i < oscore->config.command_count; i++)
        if (oscore->config.commands[i].handle == handle)
            return &oscore->config.commands[i];
    return NULL;
}

static void release(larch_oscore_command *command) { larch_wipe(command, sizeof *command); }

void larch_oscore_clear_commands(larch_oscore_service *oscore)
{
    for (size_t i = 0; i < oscore->config.command_count; i++)
        release(&oscore->config.commands[i]);
}

static larch_session *session_of(const larch_oscore_command *command)
{
    const larch_contexts *contexts = command->oscore->config.contexts;
    return contexts->find_number(contexts->context, command->session);
}

/* For a client, which gets no session that moved or ended since its last call. false: the session has ended. */
static bool rewire(larch_oscore_command *command)
{
    command->wiring.session = session_of(command);
    return command->wiring.session != NULL;
}

static larch_error take_number(void *context, uint64_t now_ms, uint64_t *number)
{
    larch_oscore_command *command = context;
    return larch_epochs_take(command->oscore->config.epochs, command->wiring.session, now_ms, number);
}

/* ---- outcomes ---------------------------------------------------------- */

static void conclude(larch_oscore_command *command, larch_error e, const larch_coap_answer *answer)
{
    const bool goes_on = e == LARCH_OK && larch_oscore_client_is_observing(&command->client);
    if (!goes_on)
        larch_oscore_client_cancel(&command->client);
    if (command->state == ENDS) {
        release(command);
        return;
    }
    command->has_outcome = true;
    command->outcome = (larch_oscore_outcome){.error = e,
                                              .code = answer->code,
                                              .hint = larch_oscore_client_hint(&command->client),
                                              .is_last = !goes_on,
                                              .body = {command->taken, answer->body.len}};
    if (answer->body.len > 0)
        memcpy(command->taken, answer->body.data, answer->body.len);
}

static void fail(larch_oscore_command *command, larch_error e)
{
    const larch_coap_answer none = {.code = 0};
    conclude(command, e, &none);
}

static bool is_over(const larch_oscore_command *command) { return command->has_outcome && command->outcome.is_last; }

larch_error larch_oscore_service_outcome(larch_oscore_service *oscore, uint32_t handle, larch_oscore_outcome *outcome)
{
    larch_oscore_command *command = handle != 0 ? find(oscore, handle) : NULL;
    if (command == NULL || command->state == ENDS)
        return LARCH_STATE;
    if (!command->has_outcome)
        return LARCH_AGAIN;
    command->has_outcome = false;
    *outcome = command->outcome;
    if (outcome->is_last)
        command->handle = 0; /* the body stays until the place is taken anew */
    return LARCH_OK;
}

/* ---- beginning and ending ---------------------------------------------- */

larch_error larch_oscore_service_ask(larch_oscore_service *oscore, uint64_t session, const larch_coap_ask *ask,
                                     bool observes, uint32_t *handle)
{
    const larch_contexts *contexts = oscore->config.contexts;
    const larch_session *found = contexts->find_number(contexts->context, session);
    if (found == NULL || LARCH_COAP_CLASS(ask->method) != 0 || ask->method == LARCH_COAP_EMPTY ||
        (observes && (ask->method != LARCH_COAP_GET || ask->payload.len > 0)))
        return LARCH_STATE;
    if (larch_session_is_spent(found))
        return LARCH_SPENT;
    if (found->last.port == 0)
        return LARCH_AGAIN;
    larch_oscore_command *command = find(oscore, 0);
    if (command == NULL)
        return LARCH_BUSY;
    oscore->next_command = oscore->next_command == UINT32_MAX ? 1 : oscore->next_command + 1;
    release(command);
    command->handle = oscore->next_command;
    command->state = WAITS;
    command->moves = MOVES_MAX;
    command->observes = observes;
    command->oscore = oscore;
    command->session = session;
    command->ask = *ask;
    *handle = command->handle;
    return LARCH_OK;
}

void larch_oscore_service_cancel(larch_oscore_service *oscore, uint64_t now_ms, uint32_t handle)
{
    larch_oscore_command *command = handle != 0 ? find(oscore, handle) : NULL;
    if (command == NULL || command->state == ENDS)
        return;
    if (command->state == ASKED && larch_oscore_client_is_observing(&command->client) && rewire(command) &&
        larch_oscore_client_deregister(&command->client, now_ms) == LARCH_OK) {
        command->state = ENDS;
        return;
    }
    if (command->state == ASKED)
        larch_oscore_client_cancel(&command->client);
    release(command);
}

void larch_oscore_end_commands(larch_oscore_service *oscore, uint64_t session)
{
    for (size_t i = 0; i < oscore->config.command_count; i++) {
        larch_oscore_command *command = &oscore->config.commands[i];
        if (command->handle != 0 && command->session == session && !is_over(command))
            fail(command, LARCH_STATE);
    }
}

/* ---- what is due ------------------------------------------------------- */

static bool is_under_way(const larch_oscore_command *command)
{
    return command->handle != 0 && command->state != WAITS && larch_oscore_client_is_busy(&command->client) &&
           !larch_oscore_client_is_observing(&command->client);
}

/* Whether nothing is under way to the session, and nothing that waits for it is older. */
static bool has_turn(const larch_oscore_service *oscore, const larch_oscore_command *command)
{
    for (size_t i = 0; i < oscore->config.command_count; i++) {
        const larch_oscore_command *other = &oscore->config.commands[i];
        if (other == command || other->handle == 0 || other->session != command->session || is_over(other))
            continue;
        if (is_under_way(other) || (other->state == WAITS && (int32_t)(other->handle - command->handle) < 0))
            return false;
    }
    return true;
}

static void begin(larch_oscore_command *command, larch_server *srv, uint64_t now_ms)
{
    const larch_oscore_config *config = &command->oscore->config;
    if (!rewire(command)) {
        fail(command, LARCH_STATE);
        return;
    }
    command->wiring = (larch_oscore_client_config){.endpoint = &srv->endpoint,
                                                   .session = command->wiring.session,
                                                   .take_number = take_number,
                                                   .context = command,
                                                   .scratch = config->command_scratch};
    const larch_coap_target target = {.peer = command->wiring.session->last, .type = LARCH_COAP_CON};
    larch_error (*const ask)(larch_oscore_client *, const larch_oscore_client_config *, uint64_t,
                             const larch_coap_target *, const larch_coap_ask *, uint8_t *, size_t) =
        command->observes ? larch_oscore_client_observe : larch_oscore_client_ask;
    const larch_error e =
        ask(&command->client, &command->wiring, now_ms, &target, &command->ask, command->body, sizeof command->body);
    command->due_ms = now_ms + LATER_MS;
    if (e == LARCH_OK)
        command->state = ASKED;
    else if (e != LARCH_BUSY)
        fail(command, e);
}

/* The device is where its last request came from. */
static void follow(larch_oscore_command *command, uint64_t now_ms)
{
    if (!rewire(command)) {
        fail(command, LARCH_STATE);
        return;
    }
    const larch_peer *last = &command->wiring.session->last;
    if (larch_peer_equal(last, &command->client.target.peer))
        return;
    if (larch_oscore_client_is_observing(&command->client))
        command->moves = MOVES_MAX; /* it answered since */
    else if (command->moves == 0)
        return;
    else
        command->moves--;
    larch_oscore_client_move(&command->client, now_ms, last);
}

void larch_oscore_send_commands(larch_oscore_service *oscore, larch_server *srv, uint64_t now_ms)
{
    for (size_t i = 0; i < oscore->config.command_count; i++) {
        larch_oscore_command *command = &oscore->config.commands[i];
        if (command->handle == 0 || is_over(command))
            continue;
        if (command->state != WAITS)
            follow(command, now_ms);
        else if (now_ms >= command->due_ms && has_turn(oscore, command))
            begin(command, srv, now_ms);
    }
}

uint64_t larch_oscore_commands_due_ms(const larch_oscore_service *oscore)
{
    uint64_t due_ms = UINT64_MAX;
    for (size_t i = 0; i < oscore->config.command_count; i++) {
        const larch_oscore_command *command = &oscore->config.commands[i];
        if (command->handle != 0 && command->state == WAITS && !command->has_outcome && command->due_ms < due_ms &&
            has_turn(oscore, command))
            due_ms = command->due_ms;
    }
    return due_ms;
}

void larch_oscore_take_command_event(larch_oscore_service *oscore, uint64_t now_ms, const larch_coap_event *event)
{
    for (size_t i = 0; i < oscore->config.command_count; i++) {
        larch_oscore_command *command = &oscore->config.commands[i];
        larch_coap_answer answer;
        if (command->handle == 0 || is_over(command))
            continue;
        if (command->state == WAITS) {
            command->due_ms = 0; /* a transmission may be free */
            continue;
        }
        if (!rewire(command)) {
            fail(command, LARCH_STATE);
            continue;
        }
        const larch_error e = larch_oscore_client_take(&command->client, now_ms, event, &answer);
        if (e != LARCH_AGAIN)
            conclude(command, e, &answer);
    }
}

#endif
