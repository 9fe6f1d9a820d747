/* SPDX-License-Identifier: Apache-2.0 */
#include "device/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/device_name.h"
#include "device/list.h"
#include "system.h"

#define NAME "device"

/* ---- one request ----------------------------------------------------------------- */

static uint64_t until_ms(const device_asking *asking)
{
    const double ms = asking->timeout * 1000;
    return ms < 1e15 ? larch_posix_now_ms() + (uint64_t)ms : UINT64_MAX;
}

/* The next line: an answer, or the end. */
static larch_exit next_answer(const device_asking *asking, const char *name, device_connection *gateway,
                              uint64_t deadline_ms, device_answer *answer, bool *is_end)
{
    char late[80];
    larch_bytes text;
    (void)snprintf(late, sizeof late, "%s did not answer within %g s", name, asking->timeout);
    const larch_exit code = device_connection_next(gateway, deadline_ms, late, &text, is_end);
    if (code != LARCH_EXIT_DONE || *is_end)
        return code;
    return device_take_answer(text, answer) ? LARCH_EXIT_DONE : device_connection_complain(gateway);
}

static larch_exit take_one(const device_asking *asking, const char *name, device_connection *gateway)
{
    static device_answer answer;
    bool is_end;
    larch_exit code = next_answer(asking, name, gateway, until_ms(asking), &answer, &is_end);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (is_end)
        return device_connection_complain(gateway);
    code = device_show_answer(asking, name, false, &answer);
    const larch_exit printed = larch_app_end_output(NAME);
    return code == LARCH_EXIT_DONE ? printed : code;
}

static larch_exit send_request(device_connection *gateway, const device_asking *asking, const char *name,
                               const char *method, const char *path, larch_bytes value)
{
    static uint8_t hex[2 * LARCH_COAP_BODY_MAX];
    larch_writer w = larch_writer_to(hex, sizeof hex);
    larch_control_put_hex(&w, value);
    const larch_bytes words[] = {LARCH_TEXT("ask"),
                                 larch_bytes_of_text(name),
                                 larch_bytes_of_text(method),
                                 larch_bytes_of_text(path),
                                 {hex, w.len}};
    larch_exit code = device_connection_begin(gateway, words, sizeof words / sizeof words[0]);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_one(asking, name, gateway);
    device_connection_end(gateway);
    return code;
}

/* The bytes to send: a text, or standard input without its last newline. */
static larch_exit take_value(const char *text, uint8_t bytes[LARCH_COAP_BODY_MAX + 1], larch_bytes *value)
{
    *value = larch_bytes_of_text(text);
    if (strcmp(text, "-") == 0) {
        size_t len = fread(bytes, 1, LARCH_COAP_BODY_MAX + 1, stdin);
        if (ferror(stdin))
            return larch_app_fail(NAME, "standard input: %s", strerror(errno));
        if (len > 0 && bytes[len - 1] == '\n')
            len--;
        *value = (larch_bytes){bytes, len};
    }
    return value->len <= LARCH_COAP_BODY_MAX
               ? LARCH_EXIT_DONE
               : larch_app_usage(NAME, "a value has at most %d bytes", LARCH_COAP_BODY_MAX);
}

/* ---- observing -------------------------------------------------------------------- */

static larch_exit take_all(const device_asking *asking, const char *name, const char *path, device_connection *gateway)
{
    static device_answer answer;
    uint64_t deadline_ms = until_ms(asking); /* for the first */
    bool is_end;
    for (unsigned long taken = 0; asking->count == 0 || taken < asking->count; taken++) {
        larch_exit code = next_answer(asking, name, gateway, deadline_ms, &answer, &is_end);
        if (code != LARCH_EXIT_DONE)
            return code;
        if (is_end && taken <= 1)
            return larch_app_fail(NAME, "%s does not report changes of %s", name, path);
        if (is_end)
            return larch_app_fail(NAME, "%s has ended the observation of %s", name, path);
        if ((code = device_show_answer(asking, name, true, &answer)) != LARCH_EXIT_DONE ||
            (code = larch_app_end_output(NAME)) != LARCH_EXIT_DONE)
            return code;
        deadline_ms = UINT64_MAX;
    }
    return LARCH_EXIT_DONE;
}

static larch_exit observe(device_connection *gateway, const device_asking *asking, const char *name, const char *path)
{
    const larch_bytes words[] = {LARCH_TEXT("observe"), larch_bytes_of_text(name), larch_bytes_of_text(path)};
    larch_exit code = device_connection_begin(gateway, words, sizeof words / sizeof words[0]);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_all(asking, name, path, gateway);
    device_connection_end(gateway);
    return code;
}

/* ---- actions ------------------------------------------------------------------------ */

enum { SEND, COMMANDS, IMPORT, SHOW, FORGET, GET, OBSERVE, LIST, ADD, REVOKE, ROTATE, CARD, ACCEPT, REQUEST, QKD };

static const struct {
    const char *name;
    size_t least, most; /* operands behind it */
} actions[] = {[SEND] = {"send", 2, 3},       [COMMANDS] = {"commands", 1, 1}, [IMPORT] = {"import", 1, 1},
               [SHOW] = {"show", 1, 1},       [FORGET] = {"forget", 1, 1},     [GET] = {"get", 2, 2},
               [OBSERVE] = {"observe", 2, 2}, [LIST] = {"list", 0, 0},         [ADD] = {"add", 1, 1},
               [REVOKE] = {"revoke", 1, 1},   [ROTATE] = {"rotate", 1, 1},     [CARD] = {"card", 0, 0},
               [ACCEPT] = {"accept", 1, 1},   [REQUEST] = {"request", 1, 1},   [QKD] = {"qkd", 1, 1}};

static size_t find_action(const char *name)
{
    size_t i = 0;
    while (i < sizeof actions / sizeof actions[0] && strcmp(actions[i].name, name) != 0)
        i++;
    return i;
}

bool device_is_asking(const char *action) { return find_action(action) < sizeof actions / sizeof actions[0]; }

static larch_exit send_value(device_connection *gateway, const device_asking *asking, const larch_operands *operands)
{
    static uint8_t bytes[LARCH_COAP_BODY_MAX + 1];
    larch_bytes value;
    const larch_exit code = take_value(operands->count > 3 ? operands->words[3] : "", bytes, &value);
    return code == LARCH_EXIT_DONE ? device_send(gateway, asking, operands->words[1], operands->words[2], value) : code;
}

static larch_exit check_operands(size_t action, const larch_operands *operands)
{
    const size_t given = operands->count - 1;
    if (given < actions[action].least)
        return larch_app_usage(NAME, "%s takes %s%s", actions[action].name,
                               action == ACCEPT   ? "a credential's file"
                               : action == IMPORT ? "a CSV file"
                                                  : "a device's name",
                               actions[action].least > 1 ? " and a path" : "");
    if (given > actions[action].most)
        return larch_app_usage(NAME, "'%s' is one argument too many", operands->words[actions[action].most + 1]);
    if (given > 0 && action != ACCEPT && action != IMPORT && !larch_app_is_device_name(operands->words[1]))
        return larch_app_usage(NAME, "a device's name is " LARCH_APP_DEVICE_NAME_WANTS);
    return LARCH_EXIT_DONE;
}

larch_exit device_ask(const device_asking *asking, const larch_operands *operands)
{
    static device_connection gateway;
    const size_t action = find_action(operands->words[0]);
    const larch_exit code = check_operands(action, operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    memcpy(gateway.state, asking->state, sizeof gateway.state);
    gateway.store = &asking->store;
    switch (action) {
    case SEND:
        return send_value(&gateway, asking, operands);
    case SHOW:
        return device_show(&gateway, operands->words[1], asking->json);
    case FORGET:
        return device_forget(&gateway, asking, operands->words[1]);
    case IMPORT:
        return device_import(&gateway, asking, operands->words[1]);
    case COMMANDS:
        return device_commands(&gateway, asking, operands->words[1]);
    case GET:
        return send_request(&gateway, asking, operands->words[1], "get", operands->words[2], (larch_bytes){NULL, 0});
    case OBSERVE:
        return observe(&gateway, asking, operands->words[1], operands->words[2]);
    case ADD:
        return device_add(&gateway, asking, operands->words[1]);
    case REVOKE:
        return device_revoke(&gateway, operands->words[1]);
    case ROTATE:
        return send_request(&gateway, asking, operands->words[1], "post", DEVICE_SESSION, LARCH_TEXT(DEVICE_RENEW));
    case CARD:
        return device_card(&gateway, asking);
    case ACCEPT:
        return device_accept(&gateway, operands->words[1]);
    case REQUEST:
        return device_request(asking, operands->words[1]);
    case QKD:
        return device_qkd(&gateway, asking, operands->words[1]);
    default:
        return device_list(&gateway, asking->json);
    }
}
