/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "common/interrupt.h"
#include "demo/stage.h"
#include "larch/gateway.h"
#include "system.h"

#define WAIT_MS   30000 /* for each thing that is waited for: it comes within seconds, unless the machine is busy */
#define COLUMNS   100
#define FIELD_MAX 80

/* ---- screen -------------------------------------------------------------- */

void demo_title(demo *d, const char *text) { printf("%u %s\n", ++d->steps, text); }

/* Steps that 'larch send' shows and the demo leaves out, so that it fits a screen. */
static bool is_small_step(const char *line, size_t len)
{
    static const char *const steps[] = {"key check", "SHA-256 fingerprint", "recorded", "HKDF", "CCM"};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (memmem(line, len, steps[i], strlen(steps[i])) != NULL)
            return true;
    return false;
}

void demo_quote(const char *who, const char *text, size_t count)
{
    for (; count > 0 && *text != '\0'; count--) {
        size_t len = strcspn(text, "\n");
        if (is_small_step(text, len)) {
            text += len + (text[len] == '\n');
            continue;
        }
        size_t room = COLUMNS - 4 - strlen(who);
        if (len <= room)
            printf("    %s%.*s\n", who, (int)len, text);
        else
            printf("    %s%.*s..\n", who, (int)room - 2, text);
        text += len + (text[len] == '\n');
    }
}

void demo_show(const char *text)
{
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        printf("    %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* The value of a field, whose name comes with its quotes and colon; "" if the line has none. */
static void find_field(const char *line, const char *name, char out[FIELD_MAX])
{
    const char *at = memmem(line, strcspn(line, "\n"), name, strlen(name));
    out[0] = '\0';
    if (at != NULL)
        snprintf(out, FIELD_MAX, "%.*s", (int)strcspn(at + strlen(name), "\"\n"), at + strlen(name));
}

void demo_quote_refusal(const char *event)
{
    char name[FIELD_MAX], peer[FIELD_MAX], kem[FIELD_MAX], reason[FIELD_MAX];
    char line[5 * FIELD_MAX];
    if (event == NULL)
        return;
    find_field(event, "\"event\":\"", name);
    find_field(event, "\"peer\":\"", peer);
    find_field(event, "\"kem\":\"", kem);
    find_field(event, "\"reason\":\"", reason);
    snprintf(line, sizeof line, "refused %s %s%s%s: %s", peer, kem, kem[0] != '\0' ? " " : "", name, reason);
    demo_quote("gateway: ", line, 1);
}

bool demo_verdict(demo *d, bool ok, const char *text)
{
    const char *mark = ok ? "\xe2\x9c\x93" : "\xe2\x9c\x97";
    if (d->colour)
        printf("  \x1b[%sm%s\x1b[0m %s\n", ok ? "32" : "31", mark, text);
    else
        printf("  %s %s\n", mark, text);
    fflush(stdout);
    d->passed += ok;
    return ok;
}

unsigned demo_count(const char *text, const char *wanted)
{
    unsigned count = 0;
    for (const char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        count += memmem(line, len, wanted, strlen(wanted)) != NULL;
        line += len + (line[len] == '\n');
    }
    return count;
}

/* ---- waiting ------------------------------------------------------------- */

/* Before each wait. */
static uint64_t check_over(void *context)
{
    demo *d = context;
    if (d->is_over(d))
        larch_loop_stop(&d->loop, 0);
    return UINT64_MAX;
}

void demo_init_loop(demo *d) { larch_loop_init(&d->loop, check_over, d); }

bool demo_pump(demo *d, bool (*is_over)(demo *d))
{
    d->is_over = is_over;
    return larch_loop_run_until(&d->loop, larch_posix_now_ms() + WAIT_MS) == 0 && !larch_interrupt_came();
}

static bool is_printed(demo *d)
{
    demo_awaited *a = &d->awaited;
    a->found = strstr(a->text->text + a->offset, a->wanted);
    return (a->found != NULL && strchr(a->found, '\n') != NULL) || a->text->pipe.fd < 0;
}

const char *demo_wait_for(demo *d, const demo_text *text, size_t offset, const char *wanted)
{
    d->awaited = (demo_awaited){text, offset, wanted, NULL};
    (void)demo_pump(d, is_printed);
    return d->awaited.found;
}

/* ---- actors -------------------------------------------------------------- */

char *demo_path(const demo *d, const char *name, char out[DEMO_PATH_MAX])
{
    snprintf(out, DEMO_PATH_MAX, "%s/%s", d->folder, name);
    return out;
}

static bool is_task_done(demo *d) { return demo_child_is_done(&d->task); }

int demo_start(demo *d, const char *const *arguments) { return demo_child_start(&d->task, &d->loop, arguments); }

int demo_finish(demo *d)
{
    if (demo_pump(d, is_task_done))
        return d->task.code;
    demo_child_stop(&d->task);
    return -1;
}

int demo_run(demo *d, const char *const *arguments) { return demo_start(d, arguments) == 0 ? demo_finish(d) : -1; }

bool demo_start_gateway(demo *d, demo_child *child, const char *name, larch_peer *peer)
{
    static const char listening[] = "listening on ";
    char state[DEMO_PATH_MAX];
    char address[LARCH_TEXT_PEER_MAX];
    larch_posix_reason why;
    demo_path(d, name, state);
    const char *const arguments[] = {"gateway", "--listen", "127.0.0.1:0", "--state",
                                     state,     "--json",   "--display",   NULL};
    if (demo_child_start(child, &d->loop, arguments) != 0)
        return false;
    /* The last key's line: all is printed before the first datagram is taken. */
    const char *at = demo_wait_for(d, &child->err, 0, listening);
    if (at == NULL || demo_wait_for(d, &child->err, 0, larch_direct_kem_at(LARCH_DIRECT_SETS - 1)->name) == NULL)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)strcspn(at + sizeof listening - 1, "\n"), at + sizeof listening - 1);
    return larch_posix_peer_parse(address, LARCH_COAP_PORT, peer, &why) == 0;
}
