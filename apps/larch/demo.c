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

#include "app.h"
#include "demo_child.h"
#include "demo_relay.h"
#include "larch/coap_message.h"
#include "larch/gateway.h"
#include "system.h"

#define NAME "demo"

#define TEXT         "Pump 3: 4.2 bar, 17 C"
#define CAPTURE      "demo.pcapng"
#define WAIT_MS      10000 /* for each step; the slowest takes milliseconds */
#define VARIANTS     12    /* altered messages: more than the sniffer lets pass */
#define COLUMNS      100
#define FOLDER_MAX   512
#define PATH_MAX_LEN (FOLDER_MAX + 32)

static const char help[] =
    "Usage: larch demo\n"
    "Shows larch at work in about a second: a gateway, a sender, a sniffer, and an attacker who\n"
    "replays, alters and impersonates, all on this machine's loopback. Each outcome is checked.\n"
    "Needs neither a network nor privileges. Leaves " CAPTURE " in this folder, for Wireshark.\n"
    "\n"
    "Options:\n"
    "  --help   print this help\n"
    "\n"
    "Exit status: 0 if every step went as it must, else 1.\n";

typedef struct demo {
    char folder[FOLDER_MAX]; /* all that the demo makes, but for the capture */
    char uri[LARCH_POSIX_PEER_TEXT + 8];
    char pin[LARCH_FINGERPRINT_TEXT_LEN + 1];
    bool colour;
    unsigned steps;
    unsigned passed;
    larch_udp attacker;
    demo_relay relay;
    demo_child gateway;
    demo_child impostor;
    demo_child task;
} demo;

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- screen -------------------------------------------------------------- */

static void title(demo *d, const char *text) { printf("%u %s\n", ++d->steps, text); }

/* Lines of a child, from text on, at most count; long ones are cut to the screen. */
static void quote(const char *who, const char *text, size_t count)
{
    for (; count > 0 && *text != '\0'; count--) {
        size_t len = strcspn(text, "\n");
        size_t room = COLUMNS - 4 - strlen(who);
        if (len <= room)
            printf("    %s%.*s\n", who, (int)len, text);
        else
            printf("    %s%.*s..\n", who, (int)room - 2, text);
        text += len + (text[len] == '\n');
    }
}

static bool verdict(demo *d, bool ok, const char *text)
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

/* ---- waiting ------------------------------------------------------------- */

/* Keeps everything moving until something happened or until_ms. false: it is time, or interrupted. */
static bool pump(demo *d, uint64_t until_ms)
{
    struct pollfd fds[DEMO_RELAY_FDS + 3 * DEMO_CHILD_FDS + 1];
    demo_child *const children[] = {&d->gateway, &d->impostor, &d->task};
    uint64_t now_ms = larch_posix_now_ms();
    if (interrupted != 0 || now_ms >= until_ms)
        return false;
    size_t count = demo_relay_fds(&d->relay, fds);
    for (size_t i = 0; i < 3; i++, count += DEMO_CHILD_FDS)
        demo_child_fds(children[i], &fds[count]);
    fds[count++] = (struct pollfd){.fd = d->attacker.fd, .events = POLLIN};
    (void)poll(fds, count, (int)(until_ms - now_ms));
    demo_relay_run(&d->relay);
    for (size_t i = 0; i < 3; i++)
        demo_child_read(children[i]);
    return true;
}

/* Waits until a child has printed something from offset on. Returns where it stands, NULL if it never came. */
static const char *wait_for(demo *d, const demo_text *text, size_t offset, const char *wanted)
{
    uint64_t until_ms = larch_posix_now_ms() + WAIT_MS;
    const char *found;
    do {
        found = strstr(text->text + offset, wanted);
        if (found != NULL && strchr(found, '\n') != NULL)
            return found;
    } while (text->fd >= 0 && pump(d, until_ms));
    return found;
}

/* Runs a command to its end. Returns its exit code, -1 if it has none. */
static int run(demo *d, const char *const *arguments)
{
    uint64_t until_ms = larch_posix_now_ms() + WAIT_MS;
    if (demo_child_start(&d->task, arguments) != 0)
        return -1;
    while (!demo_child_is_done(&d->task))
        if (!pump(d, until_ms))
            return demo_child_stop(&d->task), -1;
    return demo_child_wait(&d->task);
}

static char *path_in(const demo *d, const char *name, char out[PATH_MAX_LEN])
{
    snprintf(out, PATH_MAX_LEN, "%s/%s", d->folder, name);
    return out;
}

/* ---- actors -------------------------------------------------------------- */

/* Starts a gateway on a free port, with keys of its own. */
static bool start_gateway(demo *d, demo_child *child, const char *name, larch_peer *peer)
{
    static const char listening[] = "listening on ";
    char state[PATH_MAX_LEN];
    char address[LARCH_POSIX_PEER_TEXT];
    larch_posix_reason why;
    path_in(d, name, state);
    const char *const arguments[] = {"gateway", "--listen", "127.0.0.1:0", "--state",
                                     state,     "--json",   "--display",   NULL};
    if (demo_child_start(child, arguments) != 0)
        return false;
    /* The last key's line: all is printed before the first datagram is taken. */
    const char *at = wait_for(d, &child->err, 0, listening);
    if (at == NULL || wait_for(d, &child->err, 0, larch_kem_at(LARCH_GATEWAY_SETS - 1)->name) == NULL)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)strcspn(at + sizeof listening - 1, "\n"), at + sizeof listening - 1);
    return larch_posix_peer_parse(address, LARCH_COAP_PORT, peer, &why) == 0;
}

/* Sends a datagram as the attacker, from a port of its own, and gives the gateway's answer as "4.01 REPLAY". */
static bool attack(demo *d, larch_bytes datagram, char answer[40])
{
    uint64_t until_ms = larch_posix_now_ms() + WAIT_MS;
    static larch_udp_batch batch; /* too large for a stack */
    larch_coap_message message;
    answer[0] = '\0';
    if (larch_udp_send_to(&d->attacker, &d->relay.front.local, datagram) != 0)
        return false;
    do {
        if (larch_udp_receive(&d->attacker, &batch) <= 0)
            continue;
        larch_bytes bytes = {batch.datagrams[0].bytes, batch.datagrams[0].len};
        if (larch_coap_parse(bytes, &message) != LARCH_OK || message.payload.len > 20)
            return false;
        snprintf(answer, 40, "%d.%02d %.*s", LARCH_COAP_CLASS(message.code), LARCH_COAP_DETAIL(message.code),
                 (int)message.payload.len, (const char *)message.payload.data);
        return true;
    } while (pump(d, until_ms));
    return false;
}

/* The recorded message as a new request: another message ID, else the gateway takes it for a retransmission. */
static larch_bytes forge(const demo *d, unsigned number, uint8_t out[LARCH_COAP_DATAGRAM_MAX])
{
    memcpy(out, d->relay.sealed, d->relay.sealed_len);
    uint16_t id = (uint16_t)(((unsigned)out[2] << 8 | out[3]) + 1 + number);
    out[2] = (uint8_t)(id >> 8);
    out[3] = (uint8_t)id;
    return (larch_bytes){out, d->relay.sealed_len};
}

/* ---- steps --------------------------------------------------------------- */

static bool step_keys(demo *d)
{
    char state[PATH_MAX_LEN];
    const char *const arguments[] = {"keys", "fingerprint", "--state", path_in(d, "gateway", state), NULL};
    title(d, "Keys. A gateway makes its ML-KEM-512 key; senders pin the fingerprint, taken from its console:");
    if (!start_gateway(d, &d->gateway, "gateway", &d->relay.gateway)) {
        quote("", d->gateway.err.text, 4);
        return verdict(d, false, "the gateway does not start");
    }
    int code = run(d, arguments);
    snprintf(d->pin, sizeof d->pin, "%.*s", LARCH_FINGERPRINT_TEXT_LEN, d->task.out.text);
    quote("", d->task.out.text, 1);
    return verdict(d, code == LARCH_EXIT_DONE && strstr(d->gateway.err.text, d->pin) != NULL,
                   "'larch keys fingerprint' and the gateway's own words agree");
}

static int send_text(demo *d, const char *text)
{
    char known[PATH_MAX_LEN];
    const char *const arguments[] = {"send", d->uri, text, "--pin", d->pin, "--known", path_in(d, "known", known),
                                     NULL};
    return run(d, arguments);
}

static bool step_exchange(demo *d)
{
    title(d, "Exchange. 'larch send --pin' fetches the key, checks it, seals a message to it, posts that:");
    int code = send_text(d, TEXT);
    quote("", d->task.out.text, 16);
    quote("", d->task.err.text, 4);
    bool printed = wait_for(d, &d->gateway.out, 0, "\"text\":\"" TEXT "\"") != NULL;
    return verdict(d, code == LARCH_EXIT_DONE && printed && d->relay.sealed_len > 0,
                   "opened, its replay mark on the disk, printed, and only then answered");
}

/* The screen that the gateway drew for its first message. */
static bool step_display(demo *d)
{
    title(d, "Display. The gateway's board shows what was authenticated, and nothing else:");
    const char *at = wait_for(d, &d->gateway.err, 0, "#1 |");
    bool shown = at != NULL && wait_for(d, &d->gateway.err, (size_t)(at - d->gateway.err.text), "LED") != NULL;
    for (unsigned lines = 0; shown && lines < 2; at--) /* back to the frame above */
        lines += at > d->gateway.err.text && at[-1] == '\n';
    quote("", shown ? at + 1 : "", 11);
    return verdict(d, shown && strstr(at, TEXT) != NULL && strstr(at, "green") != NULL, "green: accepted");
}

static bool step_replay(demo *d)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[40];
    char text[120];
    size_t seen = d->gateway.err.len;
    title(d, "Replay. The attacker recorded that message, and sends it again as a new request:");
    bool answered = attack(d, forge(d, 0, bytes), answer);
    const char *line = wait_for(d, &d->gateway.err, seen, "refused");
    quote("gateway: ", line != NULL ? line : "", 1);
    snprintf(text, sizeof text, "answered %s: no message is accepted twice, not even after a restart", answer);
    return verdict(d, answered && strcmp(answer, "4.01 REPLAY") == 0 && line != NULL, text);
}

static bool step_alter(demo *d)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    char answer[40];
    char text[120];
    unsigned refused = 0;
    size_t seen = d->gateway.err.len;
    title(d, "Alteration. The attacker flips one bit, another in each of 12 copies:");
    for (unsigned i = 0; i < VARIANTS && interrupted == 0; i++) {
        larch_coap_message message;
        larch_bytes copy = forge(d, 1 + i, bytes);
        if (larch_coap_parse(copy, &message) != LARCH_OK)
            break;
        bytes[(size_t)(message.payload.data - bytes) + LARCH_DIRECT_HEADER_LEN + 60 * i] ^= (uint8_t)(1u << i % 8);
        refused += attack(d, copy, answer) && strcmp(answer, "4.00 AUTH_FAIL") == 0;
    }
    const char *line = wait_for(d, &d->gateway.err, seen, "refused");
    quote("gateway: ", line != NULL ? line : "", 1);
    snprintf(text, sizeof text, "%u of %u answered 4.00 AUTH_FAIL, and nothing of them was shown", refused,
             (unsigned)VARIANTS);
    return verdict(d, refused == VARIANTS && strstr(d->gateway.out.text, "\n{") == NULL, text);
}

static bool step_impostor(demo *d)
{
    char text[120];
    title(d, "Impostor. The attacker leads the sender to another gateway, with a key of its own:");
    if (!start_gateway(d, &d->impostor, "impostor", &d->relay.gateway))
        return verdict(d, false, "the other gateway does not start");
    d->relay.sealed_len = 0;
    int code = send_text(d, "never to be sent");
    quote("", d->task.err.text, 1);
    snprintf(text, sizeof text, "exit %d (refused for security), and nothing was sealed to that key", code);
    return verdict(d, code == LARCH_EXIT_REFUSED && d->relay.sealed_len == 0, text);
}

/* Shows the alert of a name without packet number and time; false if there is none. */
static bool quote_alert(const char *text, const char *name)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, " %s: ", name);
    const char *at = strstr(text, wanted);
    quote("", at != NULL ? at + 1 : "", 1);
    return at != NULL;
}

static bool step_sniffer(demo *d)
{
    static const char *const named[] = {"replay", "many-auth-failures", "key-changed"};
    char capture[PATH_MAX_LEN];
    char heading[120];
    const char *const arguments[] = {"sniff", "-r", path_in(d, "demo.pcap", capture), "-w", CAPTURE, "--alerts", NULL};
    bool all = true;
    snprintf(heading, sizeof heading,
             "Sniffer. 'larch sniff' beside the wire saw %u datagrams, has no keys, and names the attacks:",
             d->relay.datagrams);
    title(d, heading);
    demo_relay_close(&d->relay);
    int code = run(d, arguments);
    quote("", d->task.err.text, code == LARCH_EXIT_DONE ? 0 : 2);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        all = all && quote_alert(d->task.out.text, named[i]);
    return verdict(d, code == LARCH_EXIT_DONE && all,
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
    char capture[PATH_MAX_LEN];
    char address[LARCH_POSIX_PEER_TEXT];
    larch_peer local;
    larch_posix_reason why;
    snprintf(d->folder, sizeof d->folder, "%s/larch-demo-XXXXXX", base != NULL && base[0] == '/' ? base : "/tmp");
    if (strlen(d->folder) == sizeof d->folder - 1 || mkdtemp(d->folder) == NULL) {
        (void)larch_app_fail(NAME, "%s: %s; TMPDIR may name another folder", d->folder, strerror(errno));
        d->folder[0] = '\0';
        return false;
    }
    if (demo_relay_open(&d->relay, path_in(d, "demo.pcap", capture), &why) != 0 ||
        larch_posix_peer_parse("127.0.0.1:0", 0, &local, &why) != 0 ||
        larch_udp_open(&d->attacker, &local, &why) != 0) {
        (void)larch_app_fail(NAME, "%s", why.text);
        return false;
    }
    larch_posix_peer_text(&d->relay.front.local, address);
    snprintf(d->uri, sizeof d->uri, "coap://%s", address);
    return true;
}

static void clean_up(demo *d)
{
    (void)demo_child_stop(&d->task);
    (void)demo_child_stop(&d->gateway);
    (void)demo_child_stop(&d->impostor);
    demo_relay_close(&d->relay);
    larch_udp_close(&d->attacker);
    if (d->folder[0] != '\0')
        (void)nftw(d->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int play(demo *d)
{
    static bool (*const steps[])(demo *) = {step_keys,  step_exchange, step_display, step_replay,
                                            step_alter, step_impostor, step_sniffer};
    const unsigned count = sizeof steps / sizeof steps[0];
    uint64_t begun_ms = larch_posix_now_ms();
    bool going = true;
    printf("larch demo: gateway, sender, attacker and sniffer, on 127.0.0.1 alone\n");
    for (unsigned i = 0; going && i < count && interrupted == 0; i++)
        going = steps[i](d) || i >= 2; /* without an exchange there is nothing to attack */
    uint64_t took_ms = larch_posix_now_ms() - begun_ms;
    printf("%u of %u steps went as they must, in %u.%u s\n", d->passed, count, (unsigned)(took_ms / 1000),
           (unsigned)(took_ms / 100 % 10));
    if (interrupted != 0)
        return larch_app_fail(NAME, "interrupted");
    return d->passed == count ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
}

int larch_demo_main(int argc, char **argv)
{
    static demo d; /* too large for a stack */
    const struct sigaction action = {.sa_handler = interrupt};
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return larch_app_help(help);
    if (argc > 1)
        return larch_app_usage(NAME, "'%s' is not an option; it takes none", argv[1]);
    if (larch_app_start_crypto(NAME) != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0 ||
        signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return larch_app_fail(NAME, "signals: %s", strerror(errno));
    d.attacker.fd = d.relay.front.fd = -1;
    d.gateway.out.fd = d.gateway.err.fd = d.impostor.out.fd = d.impostor.err.fd = d.task.out.fd = d.task.err.fd = -1;
    d.colour = isatty(STDOUT_FILENO) == 1;
    int code = set_up(&d) ? play(&d) : LARCH_EXIT_FAILED;
    clean_up(&d);
    return code;
}
