/* SPDX-License-Identifier: Apache-2.0 */
/* The steps around one sealed message: keys, exchange, display, and what an attacker tries. */
#include <stdio.h>
#include <string.h>

#include "common/interrupt.h"
#include "demo/attacker.h"
#include "demo/steps.h"
#include "larch/coap_message.h"

#define TEXT     "Pump 3: 4.2 bar, 17 C"
#define ALTERED  6  /* where the nonce begins; bytes behind the 50th would make a REPLAY: the mark is the same */
#define VARIANTS 12 /* altered messages: more than the sniffer lets pass */

/* The first fingerprint of a kind in a text; "" if there is none. */
static void find_fingerprint(const char *text, const char *kind, char out[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    const char *at = strstr(text, kind);
    snprintf(out, LARCH_FINGERPRINT_TEXT_LEN + 1, "%s", at != NULL ? at : "");
}

bool demo_step_keys(demo *d)
{
    char state[DEMO_PATH_MAX];
    const char *const arguments[] = {"keys", "fingerprint", "--state", demo_path(d, "gateway", state), NULL};
    demo_title(d, "Keys. A gateway makes its keys; senders pin a fingerprint, taken from its console:");
    if (!demo_start_gateway(d, &d->gateway, "gateway", &d->gateway_peer)) {
        demo_quote("", d->gateway.err.text, 4);
        return demo_verdict(d, false, "the gateway does not start");
    }
    d->relay.gateway = d->gateway_peer;
    int code = demo_run(d, arguments);
    find_fingerprint(d->gateway.err.text, "larch1:", d->pin);
    find_fingerprint(d->task.out.text, "larch2:", d->identity);
    demo_quote("", d->task.out.text, 1);
    const char *told = d->identity[0] != '\0' ? d->identity : d->pin;
    return demo_verdict(d,
                        code == LARCH_EXIT_DONE && d->pin[0] != '\0' && strstr(d->task.out.text, told) != NULL &&
                            strstr(d->gateway.err.text, told) != NULL,
                        "'larch keys fingerprint' and the gateway's own words agree");
}

/* known: the file that says what a sender has on record. */
static int send_text(demo *d, const char *text, const char *pin, const char *known)
{
    char path[DEMO_PATH_MAX];
    const char *const arguments[] = {"send", d->uri, text, "--pin", pin, "--known", demo_path(d, known, path), NULL};
    return demo_run(d, arguments);
}

bool demo_step_exchange(demo *d)
{
    demo_title(d, "Exchange. 'larch send --pin' finds the pinned gateway's key, and posts a message sealed to it:");
    int code = send_text(d, TEXT, d->identity[0] != '\0' ? d->identity : d->pin, "known");
    demo_quote("", d->task.out.text, 22);
    demo_quote("", d->task.err.text, 4);
    bool printed = demo_wait_for(d, &d->gateway.out, 0, "\"text\":\"" TEXT "\"") != NULL;
    return demo_verdict(d, code == LARCH_EXIT_DONE && printed && d->relay.sealed_len > 0,
                        "opened, stored with its replay mark, and only then answered and printed");
}

/* The screen that the gateway drew for its first message. */
bool demo_step_display(demo *d)
{
    demo_title(d, "Display. The gateway's board shows what was authenticated, and nothing else:");
    const char *at = demo_wait_for(d, &d->gateway.err, 0, "#1 |");
    bool shown = at != NULL && demo_wait_for(d, &d->gateway.err, (size_t)(at - d->gateway.err.text), "LED") != NULL;
    for (unsigned lines = 0; shown && lines < 2; at--) /* back to the frame above */
        lines += at > d->gateway.err.text && at[-1] == '\n';
    demo_quote("", shown ? at + 1 : "", 11);
    return demo_verdict(d, shown && strstr(at, TEXT) != NULL && strstr(at, "green") != NULL, "green: accepted");
}

bool demo_step_replay(demo *d)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[DEMO_ANSWER_MAX];
    char text[DEMO_TEXT_LEN];
    size_t seen = d->gateway.err.len;
    demo_title(d, "Replay. The attacker recorded that message, and sends it again as a new request:");
    bool answered = demo_attack(d, demo_forge((larch_bytes){d->relay.sealed, d->relay.sealed_len}, 0, bytes), answer);
    const char *line = demo_wait_for(d, &d->gateway.err, seen, "\"event\":\"replay\"");
    demo_quote_refusal(line);
    snprintf(text, sizeof text, "answered %s: no message is accepted twice, not even after a restart", answer);
    return demo_verdict(d, answered && strcmp(answer, "4.01 REPLAY") == 0 && line != NULL, text);
}

bool demo_step_alter(demo *d)
{
    uint8_t original[LARCH_COAP_DATAGRAM_MAX], bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[DEMO_ANSWER_MAX];
    char text[DEMO_TEXT_LEN];
    unsigned refused = 0;
    size_t seen = d->gateway.err.len;
    const larch_bytes recorded = {original, d->relay.sealed_len}; /* the relay goes on recording */
    memcpy(original, d->relay.sealed, recorded.len);
    demo_title(d, "Alteration. The attacker flips one bit of nonce or ciphertext, another in each of 12 copies:");
    for (unsigned i = 0; i < VARIANTS && !larch_interrupt_came(); i++) {
        larch_coap_message message;
        larch_bytes copy = demo_forge(recorded, 1 + i, bytes);
        if (larch_coap_parse(copy, &message) != LARCH_OK)
            break;
        bytes[(size_t)(message.payload.data - bytes) + ALTERED + 3 * i] ^= (uint8_t)(1u << i % 8);
        refused += demo_attack(d, copy, answer) && strcmp(answer, "4.00 AUTH_FAIL") == 0;
    }
    const char *line = demo_wait_for(d, &d->gateway.err, seen, "\"event\":\"auth\"");
    demo_quote_refusal(line);
    snprintf(text, sizeof text, "%u of %u answered 4.00 AUTH_FAIL, and nothing of them was shown", refused,
             (unsigned)VARIANTS);
    return demo_verdict(d, refused == VARIANTS && strstr(d->gateway.out.text, "\n{") == NULL, text);
}

bool demo_step_impostor(demo *d)
{
    char text[DEMO_TEXT_LEN];
    demo_title(d, "Impostor. The attacker leads a sender that pins the key to a gateway of the attacker's own:");
    if (!demo_start_gateway(d, &d->impostor, "impostor", &d->relay.gateway))
        return demo_verdict(d, false, "the other gateway does not start");
    d->relay.sealed_len = 0;
    int code = send_text(d, "never to be sent", d->pin, "known-by-another");
    demo_quote("", d->task.err.text, 1);
    snprintf(text, sizeof text, "exit %d (refused for security), and nothing was sealed to that key", code);
    return demo_verdict(d, code == LARCH_EXIT_REFUSED && d->relay.sealed_len == 0, text);
}
