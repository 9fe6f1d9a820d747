/* SPDX-License-Identifier: Apache-2.0 */
/* The steps around a session: readings of a device that shares keys with the gateway, a replay, and a crash. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo/attacker.h"
#include "demo/steps.h"
#include "system.h"
#include "text/text.h"

#define DEVICE       "pump-3"
#define FIRST        "4.2 bar"
#define SECOND       "4.3 bar"
#define THIRD        "4.4 bar"
#define SECRET_LEN   16
#define DEVICE_ID    "03"
#define GATEWAY_ID   "67"
#define ROW_OF(text) "\"text\":\"" text "\""

/* ---- keys ---------------------------------------------------------------- */

/* A file in the format of coap-oscore-conf(5), for its owner alone. */
static bool write_context(const demo *d, const char *name, const char *secret, const char *sender,
                          const char *recipient)
{
    char path[DEMO_PATH_MAX];
    const int fd = open(demo_path(d, name, path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const bool is_written = dprintf(fd, "master_secret,hex,\"%s\"\nsender_id,hex,\"%s\"\nrecipient_id,hex,\"%s\"\n",
                                    secret, sender, recipient) > 0;
    return close(fd) == 0 && is_written;
}

/* What both sides hold, each in a file of its own. */
static bool write_contexts(const demo *d)
{
    const larch_random random = larch_posix_random();
    uint8_t secret[SECRET_LEN];
    char hex[2 * SECRET_LEN + 1] = "";
    larch_writer w = larch_writer_to((uint8_t *)hex, sizeof hex - 1);
    if (larch_random_fill(&random, secret, sizeof secret) != LARCH_OK)
        return false;
    larch_text_put_hex(&w, LARCH_BYTES(secret));
    return write_context(d, "device", hex, DEVICE_ID, GATEWAY_ID) &&
           write_context(d, "device-at-gateway", hex, GATEWAY_ID, DEVICE_ID);
}

static bool add_context(demo *d)
{
    char state[DEMO_PATH_MAX], file[DEMO_PATH_MAX];
    const char *const arguments[] = {"keys",    "add-context",
                                     DEVICE,    demo_path(d, "device-at-gateway", file),
                                     "--state", demo_path(d, "gateway", state),
                                     NULL};
    return demo_run(d, arguments) == LARCH_EXIT_DONE;
}

/* ---- readings ------------------------------------------------------------ */

/* Begins to post a reading as the device. */
static bool start_reading(demo *d, const char *text)
{
    char uri[sizeof d->uri + 16], file[DEMO_PATH_MAX];
    snprintf(uri, sizeof uri, "%s/r/" DEVICE, d->uri);
    const char *const arguments[] = {"send", "--oscore", demo_path(d, "device", file), uri, text, NULL};
    return demo_start(d, arguments) == 0;
}

/* The lines of one gateway about the device's readings that contain text. A line that may have been printed before a
 * crash is marked as a repeat, and is not counted. */
static unsigned count_rows(const demo_child *gateway, const char *text)
{
    unsigned count = 0;
    for (const char *line = gateway->out.text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        count += memmem(line, len, "\"device\":\"" DEVICE "\"", strlen("\"device\":\"" DEVICE "\"")) != NULL &&
                 memmem(line, len, text, strlen(text)) != NULL &&
                 memmem(line, len, "\"repeat\":true", strlen("\"repeat\":true")) == NULL;
        line += len + (line[len] == '\n');
    }
    return count;
}

static unsigned count_stored(const demo *d, const char *text)
{
    return count_rows(&d->gateway, text) + count_rows(&d->restarted, text);
}

/* ---- steps --------------------------------------------------------------- */

bool demo_step_session(demo *d)
{
    d->relay.gateway = d->gateway_peer; /* back from the impostor */
    demo_title(d, "Session. The gateway and device '" DEVICE "' share keys; 'larch send --oscore' posts a reading:");
    if (!write_contexts(d))
        return demo_verdict(d, false, strerror(errno));
    if (!add_context(d)) {
        demo_quote("", d->task.err.text, 2);
        return demo_verdict(d, false, "'larch keys add-context' failed");
    }
    const int code = start_reading(d, FIRST) ? demo_finish(d) : -1;
    demo_quote("", d->task.out.text, 4);
    demo_quote("", d->task.err.text, 2);
    const bool is_stored = demo_wait_for(d, &d->gateway.out, 0, ROW_OF(FIRST)) != NULL;
    memcpy(d->reading, d->relay.sealed, d->relay.sealed_len); /* the relay goes on recording */
    d->reading_len = d->relay.sealed_len;
    return demo_verdict(d, code == LARCH_EXIT_DONE && is_stored && d->reading_len > 0,
                        "the gateway asked for a proof that the device is there now (Echo), then stored the reading");
}

bool demo_step_session_replay(demo *d)
{
    const larch_bytes recorded = {d->reading, d->reading_len};
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[DEMO_ANSWER_MAX];
    char text[DEMO_TEXT_LEN];
    const size_t seen = d->gateway.err.len;
    demo_title(d, "Replay. The attacker sends that very datagram again, then once more as a new request:");
    const bool is_same = demo_attack(d, recorded, answer) && strncmp(answer, "2.04", 4) == 0;
    const bool is_answered = demo_attack(d, demo_forge(recorded, 0, bytes), answer);
    const char *line = demo_wait_for(d, &d->gateway.err, seen, "\"event\":\"replay\"");
    demo_quote_refusal(line);
    snprintf(text, sizeof text, "neither is stored: the copy gets the old, encrypted answer, the new request %s",
             answer);
    return demo_verdict(d,
                        is_same && is_answered && strcmp(answer, "4.01 Replay detected") == 0 && line != NULL &&
                            count_stored(d, "") == 1,
                        text);
}

static bool is_gateway_gone(demo *d) { return demo_child_is_done(&d->gateway); }

/* The gateway has stored a reading, and ends before the device hears of it. */
static bool crash(demo *d)
{
    d->relay.is_deaf = true;
    const bool is_stored = start_reading(d, SECOND) && demo_wait_for(d, &d->gateway.out, 0, ROW_OF(SECOND)) != NULL;
    demo_child_kill(&d->gateway);
    const bool is_gone = demo_pump(d, is_gateway_gone);
    const bool is_restarted = demo_start_gateway(d, &d->restarted, "gateway", &d->relay.gateway);
    d->relay.is_deaf = false;
    return is_stored && is_gone && is_restarted;
}

bool demo_step_crash(demo *d)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[DEMO_ANSWER_MAX];
    char text[DEMO_TEXT_LEN];
    demo_title(d, "Crash. The next answer is lost on its way; SIGKILL ends the gateway, which then starts again:");
    bool is_right = crash(d);
    is_right = demo_finish(d) == LARCH_EXIT_DONE && is_right;
    demo_quote("", d->task.out.text, 12);
    demo_quote("", d->task.err.text, 2);
    is_right = demo_attack(d, demo_forge((larch_bytes){d->reading, d->reading_len}, 1, bytes), answer) && is_right;
    snprintf(text, sizeof text, "the replay of step 8, after the crash: %s", answer);
    demo_quote("attacker: ", text, 1);
    /* A line for each reading stands before the line for this one. */
    is_right = start_reading(d, THIRD) && demo_finish(d) == LARCH_EXIT_DONE && is_right &&
               demo_wait_for(d, &d->restarted.out, 0, ROW_OF(THIRD)) != NULL;
    const unsigned stored = count_stored(d, "");
    is_right = is_right && strcmp(answer, "4.01 Replay detected") == 0 && stored == 3 &&
               count_stored(d, ROW_OF(FIRST)) == 1 && count_stored(d, ROW_OF(SECOND)) == 1 &&
               count_stored(d, ROW_OF(THIRD)) == 1;
    snprintf(text, sizeof text,
             "3 readings sent, %u stored, each once: the device sent the second again, under its number", stored);
    return demo_verdict(d, is_right, text);
}
