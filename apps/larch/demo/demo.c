/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch demo: the real commands of this program against each other and against
 * an attacker, over loopback, each outcome checked.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/command.h"
#include "common/interrupt.h"
#include "demo/attacker.h"
#include "demo/steps.h"
#include "system.h"

#define CAPTURE "demo.pcapng"

/* ---- the last step -------------------------------------------------------- */

/* Shows the first line with both texts, from the first one on; false if there is none. */
static bool quote_line(const char *who, const char *text, const char *from, const char *with)
{
    for (const char *line = text; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        const char *at = memmem(line, len, from, strlen(from));
        if (at != NULL && memmem(at, len - (size_t)(at - line), with, strlen(with)) != NULL) {
            demo_quote(who, at, 1);
            return true;
        }
        line += len + (line[len] == '\n');
    }
    return false;
}

static bool step_sniffer(demo *d)
{
    static const struct {
        const char *who, *from, *with;
    } shown[] = {
        {"", "replay: ", "sealed message"}, {"", "many-auth-failures: ", ""},
        {"", "key-changed: ", ""},          {"all that it sees of the reading: ", "OSCORE kid ", "Partial IV 01"},
        {"", "replay: ", "OSCORE request"}, {"the handshake: ", "LAKE message_2", "post-quantum"}};
    char capture[DEMO_PATH_MAX];
    char heading[DEMO_TEXT_LEN];
    const char *const arguments[] = {"sniff", "-r", demo_path(d, "demo.pcap", capture), "-w", CAPTURE, NULL};
    bool all = true;
    snprintf(heading, sizeof heading,
             "Sniffer. 'larch sniff' beside the wire saw %u datagrams, has no keys, and names the attacks:",
             d->relay.datagrams);
    demo_title(d, heading);
    demo_relay_close(&d->relay);
    int code = demo_run(d, arguments);
    demo_quote("", d->task.err.text, code == LARCH_EXIT_DONE ? 0 : 2);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        all = quote_line(shown[i].who, d->task.out.text, shown[i].from, shown[i].with) && all;
    return demo_verdict(d, code == LARCH_EXIT_DONE && all,
                        code == LARCH_EXIT_DONE ? CAPTURE " in this folder has them as comments: wireshark " CAPTURE
                                                : "is this folder writable? The capture goes into it");
}

/* ---- all of it ----------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static bool set_up(demo *d)
{
    const char *base = getenv("TMPDIR");
    char capture[DEMO_PATH_MAX];
    char address[LARCH_TEXT_PEER_MAX];
    larch_posix_reason why;
    snprintf(d->folder, sizeof d->folder, "%s/larch-demo-XXXXXX", base != NULL && base[0] == '/' ? base : "/tmp");
    if (strlen(d->folder) == sizeof d->folder - 1 || mkdtemp(d->folder) == NULL) {
        (void)larch_app_fail(DEMO_NAME, "%s: %s; TMPDIR may name another folder", d->folder, strerror(errno));
        d->folder[0] = '\0';
        return false;
    }
    if (demo_relay_open(&d->relay, &d->loop, demo_path(d, "demo.pcap", capture), &why) != 0 ||
        demo_attacker_open(d, &why) != 0) {
        (void)larch_app_fail(DEMO_NAME, "%s", why.text);
        return false;
    }
    if (larch_interrupt_watch(&d->loop, &d->interrupt) != LARCH_OK) {
        (void)larch_app_fail(DEMO_NAME, "%s", larch_error_text(LARCH_BUSY));
        return false;
    }
    larch_text_of_peer(&d->relay.front.local, address);
    snprintf(d->uri, sizeof d->uri, "coap://%s", address);
    return true;
}

static void clean_up(demo *d)
{
    demo_child_stop(&d->task);
    demo_child_stop(&d->gateway);
    demo_child_stop(&d->restarted);
    demo_child_stop(&d->impostor);
    demo_child_stop(&d->device);
    demo_relay_close(&d->relay);
    demo_attacker_close(d);
    if (d->folder[0] != '\0')
        (void)nftw(d->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static larch_exit play(demo *d)
{
    static bool (*const steps[])(demo *) = {
        demo_step_keys,     demo_step_exchange, demo_step_display,        demo_step_replay, demo_step_alter,
        demo_step_impostor, demo_step_session,  demo_step_session_replay, demo_step_crash,  demo_step_handshake,
        demo_step_command,  demo_step_rotation, demo_step_sleeper,        demo_step_middle, step_sniffer};
    const unsigned count = sizeof steps / sizeof steps[0];
    uint64_t begun_ms = larch_posix_now_ms();
    bool going = true;
    printf("larch demo: gateway, sender, device, attacker and sniffer, on 127.0.0.1 alone\n");
    for (unsigned i = 0; going && i < count && !larch_interrupt_came(); i++)
        going = steps[i](d) || i >= 2; /* without an exchange there is nothing to attack */
    uint64_t took_ms = larch_posix_now_ms() - begun_ms;
    printf("%u of %u steps went as they must, in %u.%u s\n", d->passed, count, (unsigned)(took_ms / 1000),
           (unsigned)(took_ms / 100 % 10));
    if (larch_interrupt_came())
        return larch_app_fail(DEMO_NAME, "interrupted");
    return d->passed == count ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
}

const larch_command larch_demo_command = {
    .name = DEMO_NAME,
    .text = "gateway, sender, sniffer and attacks, explained on screen",
    .usage = "",
    .about = "Shows larch at work in a few seconds: a gateway, a sender, a device in a session, a sniffer,\n"
             "and an attacker who replays, alters and impersonates, all on this machine's loopback. The\n"
             "gateway is killed once, and no reading is lost or stored twice. Each outcome is checked.\n"
             "Needs neither a network nor privileges. Leaves " CAPTURE " in this folder, for Wireshark.\n",
    .more = "Exit status: 0 if every step went as it must, else 1.\n",
};

static larch_exit start(demo *d)
{
    if (larch_interrupt_catch(NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return larch_app_fail(DEMO_NAME, "signals: %s", strerror(errno));
    demo_init_loop(d);
    demo_child *const children[] = {&d->gateway, &d->restarted, &d->impostor, &d->device, &d->task};
    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++)
        demo_child_init(children[i]);
    d->attacker.fd = d->relay.front.fd = -1;
    d->colour = isatty(STDOUT_FILENO) == 1;
    const larch_exit code = set_up(d) ? play(d) : LARCH_EXIT_FAILED;
    clean_up(d);
    return code;
}

int larch_demo_main(int argc, char **argv)
{
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_demo_command, NULL, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE || (code = larch_app_start_crypto(DEMO_NAME)) != LARCH_EXIT_DONE)
        return code;
    demo *d = calloc(1, sizeof *d); /* not among the data that a gateway locks */
    code = d != NULL ? start(d) : larch_app_fail(DEMO_NAME, "out of memory");
    free(d);
    return code;
}
