/* SPDX-License-Identifier: Apache-2.0 */
/* The steps around handshakes: an enrolled device, a command to it, new keys while it works, one that sleeps and is revoked, and a
 * man in the middle. */
#include <stdio.h>
#include <string.h>

#include "demo/steps.h"

#define DEVICE   "valve-1"
#define STRANGER "valve-2" /* enrolled too; it meets the man in the middle first */
#define SLEEPER  "valve-3"
#define READING  "61 %"
#define NEVER    "never to be sent"
#define SHAKEN   "\"event\":\"handshake\",\"device\":\"" DEVICE "\""
#define RENEWED  "\"resumed\":true"

/* ---- actors ---------------------------------------------------------------- */

/* On the gateway's machine: larch device ACTION NAME [more...] */
static int ask_gateway(demo *d, const char *action, const char *name, const char *first, const char *second)
{
    char state[DEMO_PATH_MAX];
    const char *arguments[8] = {"device", action, name};
    size_t n = 3;
    if (first != NULL)
        arguments[n++] = first;
    if (second != NULL)
        arguments[n++] = second;
    arguments[n++] = "--state";
    arguments[n++] = demo_path(d, "gateway", state);
    return demo_run(d, arguments);
}

static bool enrol(demo *d, const char *name)
{
    char file[DEMO_PATH_MAX];
    return ask_gateway(d, "add", name, "--out", demo_path(d, name, file)) == LARCH_EXIT_DONE;
}

static int send_as(demo *d, const char *name, const char *text)
{
    char uri[sizeof d->uri + 16], file[DEMO_PATH_MAX];
    snprintf(uri, sizeof uri, "%s/r/level", d->uri);
    const char *const arguments[] = {"send", "--enrolment", demo_path(d, name, file), uri, text, NULL};
    return demo_run(d, arguments);
}

static bool start_device(demo *d, const char *name)
{
    char file[DEMO_PATH_MAX];
    const char *const arguments[] = {"device", "run",    "--enrolment", demo_path(d, name, file),
                                     d->uri,   "--name", "level",       "--interval",
                                     "0.25",   NULL};
    return demo_child_start(&d->device, &d->loop, arguments) == 0;
}

/* ---- steps ------------------------------------------------------------------- */

/* With its QR code, if this larch draws them. */
static bool enrol_by_picture(demo *d, const char *name)
{
    char state[DEMO_PATH_MAX], file[DEMO_PATH_MAX];
    const char *const arguments[] = {
        "device", "add", name, "--qr", "--out", demo_path(d, name, file), "--state", demo_path(d, "gateway", state),
        NULL};
    if (demo_run(d, arguments) != LARCH_EXIT_DONE)
        return enrol(d, name);
    demo_show(d->task.out.text);
    return true;
}

bool demo_step_handshake(demo *d)
{
    demo_title(d, "Handshake. 'larch device add --qr' enrols '" DEVICE "', which shakes hands (EDHOC), and reports:");
    if (!enrol_by_picture(d, DEVICE)) {
        demo_quote("", d->task.err.text, 2);
        return demo_verdict(d, false, "'larch device add' failed");
    }
    const int code = send_as(d, DEVICE, READING);
    demo_quote("", d->task.out.text, 12);
    demo_quote("", d->task.err.text, 2);
    const bool is_shaken = demo_wait_for(d, &d->restarted.err, 0, SHAKEN) != NULL,
               is_stored = demo_wait_for(d, &d->restarted.out, 0, "\"text\":\"" READING "\"") != NULL;
    return demo_verdict(d, code == LARCH_EXIT_DONE && is_shaken && is_stored,
                        "each proved its key to the other over ML-KEM-512, and fresh keys protect the reading");
}

bool demo_step_command(demo *d)
{
    demo_title(d, "Command. 'larch device run' is the device now, in that session, and 'larch device send' asks it:");
    bool is_right = start_device(d, DEVICE) && demo_wait_for(d, &d->device.out, 0, "accepted") != NULL;
    is_right = ask_gateway(d, "send", DEVICE, "led", "on") == LARCH_EXIT_DONE && is_right;
    demo_quote("larch device: ", d->task.err.text, 2);
    const char *command = demo_wait_for(d, &d->device.out, 0, "command ");
    demo_quote("device: ", command != NULL ? command : "", 1);
    is_right = ask_gateway(d, "get", DEVICE, "led", NULL) == LARCH_EXIT_DONE && is_right &&
               strcmp(d->task.out.text, "on") == 0;
    return demo_verdict(d, is_right && command != NULL, "'larch device get' says that the LED is on");
}

bool demo_step_rotation(demo *d)
{
    static const char renewed[] = "handshake: the session was renewed";
    char text[DEMO_TEXT_LEN];
    demo_title(d, "Rotation. 'larch device rotate' makes it renew its keys, while it reports four times a second:");
    bool is_right = ask_gateway(d, "rotate", DEVICE, NULL, NULL) == LARCH_EXIT_DONE;
    const char *line = demo_wait_for(d, &d->device.out, 0, renewed);
    demo_quote("device: ", line != NULL ? line : "", 1);
    is_right = is_right && line != NULL && demo_wait_for(d, &d->restarted.err, 0, RENEWED) != NULL &&
               demo_wait_for(d, &d->device.out, (size_t)(line - d->device.out.text), "accepted") != NULL;
    demo_child_stop(&d->device);
    /* The last one may have been stored without the device hearing of it. */
    const unsigned accepted = demo_count(d->device.out.text, "accepted "),
                   stored = demo_count(d->restarted.out.text, "\"device\":\"" DEVICE "\"") - 1; /* READING */
    snprintf(text, sizeof text, "%u readings accepted, all stored; the old keys open none of what follows", accepted);
    return demo_verdict(d, is_right && (stored == accepted || stored == accepted + 1), text);
}

bool demo_step_sleeper(demo *d)
{
    demo_title(d, "Sleep. '" SLEEPER "' is not there: its command waits until it reports. Then it is revoked:");
    bool is_right = enrol(d, SLEEPER) && ask_gateway(d, "send", SLEEPER, "led", "on") == LARCH_EXIT_DONE;
    demo_quote("", d->task.err.text, 1);
    is_right = start_device(d, SLEEPER) && is_right;
    const char *line = demo_wait_for(d, &d->device.out, 0, "command ");
    demo_quote("device: ", line != NULL ? line : "", 1);
    is_right = ask_gateway(d, "revoke", SLEEPER, NULL, NULL) == LARCH_EXIT_DONE && is_right && line != NULL;
    const char *refused = demo_wait_for(d, &d->device.out, 0, "unverified ");
    demo_quote("device: ", refused != NULL ? refused : "", 1);
    demo_child_stop(&d->device);
    is_right = ask_gateway(d, "send", SLEEPER, "led", "off") == LARCH_EXIT_FAILED && is_right && refused != NULL &&
               demo_count(d->device.out.text, "command ") == 1;
    demo_quote("", d->task.err.text, 1);
    return demo_verdict(d, is_right, "the command was carried out once; the gateway does not know the device any more");
}

/* The handshake of a device that nobody has met fails; true if nothing came of it. */
static bool is_refused(demo *d)
{
    const int code = send_as(d, STRANGER, NEVER);
    demo_quote("", d->task.err.text, 1);
    return code == LARCH_EXIT_REFUSED;
}

bool demo_step_middle(demo *d)
{
    const larch_peer gateway = d->relay.gateway;
    demo_title(d, "Man in the middle. He alters one bit of what the gateway answers, then answers in its place:");
    bool is_right = enrol(d, STRANGER);
    d->relay.is_altering = true;
    is_right = is_refused(d) && is_right;
    d->relay.is_altering = false;
    is_right = demo_start_gateway(d, &d->impostor, "middle", &d->relay.gateway) && is_right;
    is_right = is_refused(d) && is_right;
    d->relay.gateway = gateway;
    is_right = send_as(d, STRANGER, READING) == LARCH_EXIT_DONE && is_right &&
               demo_wait_for(d, &d->restarted.out, 0, "\"device\":\"" STRANGER "\"") != NULL &&
               strstr(d->restarted.out.text, NEVER) == NULL && strstr(d->impostor.out.text, NEVER) == NULL;
    return demo_verdict(d, is_right, "exit 3 both times, and nothing was sent; without him the handshake succeeds");
}
