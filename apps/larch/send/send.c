/* SPDX-License-Identifier: Apache-2.0 */
/* larch send: seals a text to a gateway whose key is trusted, and shows every step. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/value.h"
#include "send/send_int.h"
#include "system.h"

#define TIMEOUT_S 30.0

/* ---- the command line ---------------------------------------------------- */

/* A fingerprint of either kind, which may be in upper case, as QR codes have it, and copied with blanks around it. */
static bool set_pin(void *target, const char *value)
{
    sending *s = target;
    char text[LARCH_FINGERPRINT_TEXT_LEN];
    const char *begin = value + strspn(value, " \t\r\n");
    size_t len = strlen(begin);
    while (len > 0 && isspace((unsigned char)begin[len - 1]))
        len--;
    for (size_t i = 0; i < len && i < sizeof text; i++)
        text[i] = (char)tolower((unsigned char)begin[i]);
    return len == sizeof text &&
           larch_fingerprint_parse((larch_bytes){(const uint8_t *)text, len}, &s->pin) == LARCH_OK;
}

static const larch_option rows[] = {
    {.name = "pin",
     .kind = LARCH_OPTION_SETTER,
     .value = "FINGERPRINT",
     .wants = "a fingerprint: larch2: (an identity) or larch1: (one key), and 32 letters and digits",
     .set = set_pin,
     .text = "trust the identity (larch2:) or the one key (larch1:) with this fingerprint, as 'larch keys "
             "fingerprint' prints it on the gateway"},
    {.name = "trust-first-use",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, first_use),
     .text = "if nothing is on record for the gateway, trust the identity or key that it shows, and record it"},
    {.name = "known",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(sending, known_path),
     .text = "the file of trusted gateways; default ${XDG_STATE_HOME:-~/.local/state}/larch/gateways. If FILE is "
             "an older larch's, its records are read, and kept in FILE.v2 from then on"},
    {.name = "kem",
     .kind = LARCH_OPTION_KEM,
     .value = "SET",
     LARCH_OPTION_POINTER(sending, config.kem),
     .text = "parameter set: ML-KEM 512 (default), 768 or 1024, or the hybrid xwing"},
#if LARCH_DIRECT_COSE
    {.name = "cose",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, config.cose),
     .text = "seal in the form of COSE (RFC 9052) instead of the prototypes' form"},
#endif
    {.name = "oscore",
     .kind = LARCH_OPTION_COPY,
     .value = "CONTEXTFILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(sending, context_path),
     .text = "protect the text by OSCORE instead of sealing it, with the context of this file "
             "(coap-oscore-conf(5)). FILE.state beside it holds what must never be used twice"},
    {.name = "enrolment",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(sending, enrolment_path),
     .text = "shake hands with the gateway of this enrolment, which 'larch device add' made, and protect the text by "
             "OSCORE. FILE.state beside it keeps the session for the next texts"},
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(sending, enrolment_state),
     .text = "with --enrolment: the folder for its session; default: beside the enrolment"},
    {.name = "no-clock",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, has_no_clock),
     .text = "with --enrolment: do not believe this host's clock: take the time from the gateway, once it is "
             "authenticated, and shake hands at each start"},
    {.name = "direct",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, direct),
     .text = "seal the text (the default without --oscore and --enrolment)"},
    {.name = "format",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 0,
     .max = 65534,
     LARCH_OPTION_AT(sending, format),
     .text = "with --oscore or --enrolment: the Content-Format of the text (default 0, plain text)"},
    {.name = "non",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, config.non_confirmable),
     .text = "post non-confirmable: no retransmission"},
    {.name = "count",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = ULONG_MAX,
     LARCH_OPTION_AT(sending, count),
     .text = "send N messages (default 1)"},
    {.name = "lines",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, lines),
     .text = "with -: send each line of standard input as a message, as soon as it is there"},
    {.name = "interval",
     .kind = LARCH_OPTION_SECONDS,
     .value = "S",
     LARCH_OPTION_AT(sending, interval),
     .text = "seconds between messages (default 1, with --lines 0)"},
    {.name = "timeout",
     .kind = LARCH_OPTION_PERIOD,
     .value = "S",
     LARCH_OPTION_AT(sending, timeout),
     .text = "seconds to wait for the key, and for each answer (default 30)"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(sending, json),
     .text = "one JSON object a message on stdout"},
};

const larch_command larch_send_command = {
    .name = NAME,
    .text = "seal a message to a gateway and post it",
    .usage = "URI [TEXT | -] [OPTION]...",
    .about = "Seals TEXT (-: standard input, without its last newline; --lines: each line) to the key of the gateway\n"
             "coap://HOST[:PORT] and posts it. Shows every datagram and step of cryptography.\n"
             "\n"
             "The sender trusts a gateway by --pin, or by the record of an earlier run. It also trusts a\n"
             "key that the pinned identity, or a key trusted before, endorses. Without trust it sends\n"
             "nothing and exits with 3. It reports a message as accepted only if a receipt proves that\n"
             "the gateway opened it. If a gateway without a pinned identity gives no receipt, the report\n"
             "is 'answered, not proven'.\n"
             "\n"
             "With --oscore it posts TEXT to coap://HOST[:PORT]/PATH, protected by a context that both\n"
             "sides hold. A reading, which goes to /r/NAME, gets a number of its own: the gateway stores\n"
             "it once. Only an answer that the context verifies counts.\n"
             "\n"
             "With --enrolment it first shakes hands (LAKE: EDHOC, RFC 9528) and then does the same. Later\n"
             "runs use the session without a handshake, and renew it before it ends, or when the gateway\n"
             "does not know it any more. It never falls back to anything else.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 2,
    .surplus = "quote the text",
};

/* One gateway has one name on record: host in lower case, always with a port. */
static void name_authority(sending *s)
{
    const bool ipv6 = strchr(s->uri.host, ':') != NULL;
    (void)snprintf(s->authority, sizeof s->authority, ipv6 ? "[%.252s]:%u" : "%.253s:%u", s->uri.host,
                   s->uri.peer.port);
    for (char *c = s->authority; *c != '\0'; c++)
        *c = (char)(isspace((unsigned char)*c) ? '_' : tolower((unsigned char)*c));
}

static larch_exit take_uri(sending *s, const char *text)
{
    larch_posix_reason why;
    if (larch_posix_uri_parse(text, &s->uri, &why) != 0)
        return larch_app_bad_address(NAME, text, &why);
    if (send_is_protected(s) && s->uri.path[0] == '\0')
        return larch_app_usage(NAME, "%s: with --oscore or --enrolment, name the resource: coap://HOST/r/NAME", text);
    if (!send_is_protected(s) &&
        ((s->uri.path[0] != '\0' && strcmp(s->uri.path, LARCH_DIRECT_PATH_DATA) != 0) || s->uri.query[0] != '\0'))
        return larch_app_usage(NAME, "%s: sealed messages go to /%s alone: leave the path out", text,
                               LARCH_DIRECT_PATH_DATA);
    if (s->uri.peer.port == 0)
        return larch_app_usage(NAME, "%s: port 0 is nobody's", text);
    s->config.peer = s->uri.peer;
    name_authority(s);
    return LARCH_EXIT_DONE;
}

static larch_exit take_arguments(sending *s, int argc, char **argv)
{
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_send_command, s, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(NAME, "which gateway? Give coap://HOST[:PORT]");
    if (operands.count == 1)
        return larch_app_usage(NAME, "no text: give TEXT, or - for standard input");
    if (s->pin.kind != 0 && s->first_use)
        return larch_app_usage(NAME, "--pin and --trust-first-use exclude each other");
    if (s->context_path[0] != '\0' && s->enrolment_path[0] != '\0')
        return larch_app_usage(NAME, "--oscore and --enrolment exclude each other");
    if (s->enrolment_path[0] == '\0' && (s->enrolment_state[0] != '\0' || s->has_no_clock))
        return larch_app_usage(NAME, "--state and --no-clock go with --enrolment");
    if (send_is_protected(s) && s->direct)
        return larch_app_usage(NAME, "--direct excludes --oscore and --enrolment");
    if (send_is_protected(s) && (s->pin.kind != 0 || s->first_use || s->known_path[0] != '\0' || s->config.kem != NULL))
        return larch_app_usage(NAME, "--oscore and --enrolment exclude --pin, --trust-first-use, --known and --kem");
    if (s->config.kem == NULL)
        s->config.kem = larch_direct_kem_at(0);
    s->argc = argc;
    s->argv = argv;
    s->text = operands.words[1];
    if (s->lines && strcmp(s->text, "-") != 0)
        return larch_app_usage(NAME, "--lines needs - in place of the text");
    if (s->lines && s->count > 0)
        return larch_app_usage(NAME, "--lines and --count exclude each other");
    if (s->interval < 0)
        s->interval = s->lines ? 0 : 1;
    if (s->count == 0)
        s->count = 1;
    if ((code = take_uri(s, operands.words[0])) != LARCH_EXIT_DONE)
        return code;
    return send_take_text(s);
}

/* ---- on the wire --------------------------------------------------------- */

static larch_exit open_wire(sending *s)
{
    larch_posix_reason why;
    return larch_app_wire_open(&s->wire, &s->uri.peer, &why) == 0 ? LARCH_EXIT_DONE
                                                                  : larch_app_fail(NAME, "%s", why.text);
}

static void transmit(sending *s)
{
    larch_peer peer;
    larch_bytes datagram;
    while (larch_sender_send(&s->sender, larch_posix_now_ms(), &peer, &datagram) == LARCH_OK) {
        larch_show_datagram(&s->show, true, datagram);
        larch_app_wire_send(&s->wire, datagram);
    }
    send_show_hint(s);
    if (larch_sender_held_until_ms(&s->sender) != 0 && !s->shown_held)
        larch_show_line(&s->show, "waiting", "all message IDs are in use; the first is free in at most 247 s");
    s->shown_held = larch_sender_held_until_ms(&s->sender) != 0;
}

/* Before each wait. Returns when the sender has something to do. */
static uint64_t settle(void *context)
{
    sending *s = context;
    transmit(s);
    if (!larch_sender_is_busy(&s->sender))
        larch_loop_stop(&s->loop, 0);
    return larch_sender_deadline_ms(&s->sender);
}

static void take_datagrams(larch_loop_watch *watch, unsigned events)
{
    sending *s = watch->context;
    (void)events;
    larch_app_wire_receive(&s->wire, &larch_app_batch);
    for (size_t i = 0; i < larch_app_batch.count; i++) {
        const larch_udp_datagram *d = &larch_app_batch.datagrams[i];
        larch_show_datagram(&s->show, false, (larch_bytes){d->bytes, d->len});
        larch_sender_receive(&s->sender, larch_posix_now_ms(), &d->peer, (larch_bytes){d->bytes, d->len});
    }
    send_show_hint(s);
}

/* Lets the sender work until it wants a decision or the time is up: false. */
static bool drive(sending *s)
{
    const uint64_t patience_ms = (uint64_t)(s->timeout * 1000);
    larch_loop_watch answers = {.fd = s->wire.udp.fd, .ready = take_datagrams, .context = s};
    uint64_t end_ms = larch_posix_now_ms() + patience_ms;
    int code;
    larch_loop_init(&s->loop, settle, s);
    if (larch_loop_add_watch(&s->loop, &answers, LARCH_LOOP_READ) != LARCH_OK)
        return false;
    while ((code = larch_loop_run_until(&s->loop, end_ms)) == LARCH_LOOP_DUE &&
           larch_sender_held_until_ms(&s->sender) != 0)
        end_ms = larch_sender_held_until_ms(&s->sender) + patience_ms;
    return code >= 0;
}

/* ---- the whole of it ----------------------------------------------------- */

static void show_result(const sending *s, const char *trust, const char *failure)
{
    const larch_sender *sender = &s->sender;
    const bool is_proven = larch_sender_proven(sender);
    larch_show_end end = {.failure = failure,
                          .outcome = is_proven ? "accepted" : "answered, not proven",
                          .trust = trust,
                          .is_proven = is_proven,
                          .identity = larch_trust_identity(larch_sender_trust_of(sender))};
    end.code = larch_sender_answer(sender, &end.answer);
    if (larch_sender_key(sender, &end.key).len == 0)
        end.key = NULL;
    larch_show_result(&s->show, &end);
}

/* Says why it ended. e: LARCH_TIMEOUT: the user's time is over; LARCH_OK: the sender's state says it; else it FAILED. */
static larch_exit fail(sending *s, larch_error e)
{
    char text[LARCH_APP_FAILURE_MAX];
    const larch_sender_state state = larch_sender_state_of(&s->sender);
    if (e == LARCH_OK && state == LARCH_SENDER_DECIDE)
        (void)snprintf(text, sizeof text, "refused: nothing of this gateway is on record");
    else if (e == LARCH_OK && state == LARCH_SENDER_READY)
        (void)snprintf(text, sizeof text, "refused: another key than the pinned one");
    else
        larch_app_wire_explain(&s->wire, &s->sender, e == LARCH_TIMEOUT ? s->timeout : 0, text);
    show_result(s, NULL, text);
    if (e == LARCH_OK && (state != LARCH_SENDER_FAILED || larch_sender_refused(&s->sender)))
        return send_refuse(s);
    return larch_app_fail(NAME, "%s: %s", s->authority, text);
}

/* Lets the sender finish what it began, if it began: e. */
static larch_error finish(sending *s, larch_error e)
{
    if (e == LARCH_OK && !drive(s))
        e = LARCH_TIMEOUT;
    return e;
}

static larch_exit fetch(sending *s)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], result[128];
    const uint8_t *hash;
    const larch_error e = finish(s, larch_sender_fetch(&s->sender, larch_posix_now_ms()));
    if (e != LARCH_OK)
        return fail(s, e);
    if (larch_sender_state_of(&s->sender) == LARCH_SENDER_DECIDE)
        (void)send_decide(s);
    if (larch_sender_state_of(&s->sender) != LARCH_SENDER_READY || !send_allows_key(s))
        return fail(s, LARCH_OK);
    if (larch_sender_rotated(&s->sender))
        s->trust = "endorsed";
    const larch_trust *trust = larch_sender_trust_of(&s->sender);
    if (larch_trust_has_identity(trust)) {
        larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, larch_trust_identity(trust), fingerprint);
        larch_show_line(&s->show, "identity", fingerprint);
    }
    (void)larch_sender_key(&s->sender, &hash);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, fingerprint);
    (void)snprintf(result, sizeof result, "%s (%s)", fingerprint, s->trust);
    larch_show_line(&s->show, s->config.kem->name, result);
    return send_record(s);
}

static larch_exit post(sending *s)
{
    const larch_error e = finish(s, larch_sender_post(&s->sender, larch_posix_now_ms(), s->message));
    if (e == LARCH_SPACE)
        return larch_app_usage(NAME, "the text has %zu bytes: too long for this gateway, a prototype takes 64",
                               s->message.len);
    if (e != LARCH_OK)
        return fail(s, e);
    if (larch_sender_state_of(&s->sender) != LARCH_SENDER_READY)
        return fail(s, LARCH_OK);
    if (larch_sender_rotated(&s->sender))
        s->trust = "endorsed";
    show_result(s, s->trust, NULL);
    return send_record(s); /* its key may have been rotated under way, or endorsed anew */
}

static larch_exit run(sending *s)
{
    larch_trust_basis basis;
    larch_exit code;
    if (larch_app_start_crypto(NAME) != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    if ((code = send_load_basis(s, &basis)) != LARCH_EXIT_DONE)
        return code;
    if ((code = send_take_first_line(s)) != LARCH_EXIT_DONE || s->is_end)
        return code;
    s->trust = s->pin.kind != 0 ? "pinned" : "on record";
    s->random = larch_posix_random();
    larch_show_init(&s->show, s->json, s->authority, s->config.kem);
    larch_show_next(&s->show, s->message.len);
    s->config.random = &s->random;
    s->config.trace = &s->show.trace;
    s->config.patience_ms = (uint32_t)(s->timeout < UINT32_MAX / 1000 ? s->timeout * 1000 : UINT32_MAX);
    s->config.trust = &basis;
    const larch_error e = larch_sender_init(&s->sender, larch_posix_now_ms(), &s->config);
    if (e != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_error_text(e));
    if ((code = open_wire(s)) != LARCH_EXIT_DONE || (code = fetch(s)) != LARCH_EXIT_DONE)
        return code;
    return send_all(s, post);
}

static larch_exit run_protected(sending *s)
{
    larch_exit code;
    if (larch_app_start_crypto(NAME) != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    if ((code = send_take_first_line(s)) != LARCH_EXIT_DONE || s->is_end || (code = open_wire(s)) != LARCH_EXIT_DONE)
        return code;
    s->random = larch_posix_random();
    larch_show_init(&s->show, s->json, s->authority, NULL);
    larch_show_next(&s->show, s->message.len);
    return send_protected(s);
}

int larch_send_main(int argc, char **argv)
{
    static sending s;
    s.wire.udp.fd = -1;
    s.interval = -1; /* not given */
    s.timeout = TIMEOUT_S;
    larch_exit code = take_arguments(&s, argc, argv);
    if (code == LARCH_EXIT_DONE)
        code = send_is_protected(&s) ? run_protected(&s) : run(&s);
    if (code == LARCH_EXIT_DONE && ferror(stdout))
        code = larch_app_fail(NAME, "what is told here was done, but standard output took not all of it");
    larch_app_wire_close(&s.wire);
    larch_sender_wipe(&s.sender);
    larch_wipe(s.bytes, sizeof s.bytes);
    return code;
}
