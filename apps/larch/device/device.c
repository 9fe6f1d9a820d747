/* SPDX-License-Identifier: Apache-2.0 */
/* larch device: a device on Linux, in a session with a gateway; and the gateway's devices, for its operator. */
#include <limits.h>
#include <string.h>

#include "common/command.h"
#include "common/policy_word.h"
#include "common/suite_name.h"
#include "common/value.h"
#include "device/ask.h"
#include "device/device_int.h"
#include "larch/crypto.h"

#define INTERVAL_S 10.0
#define TIMEOUT_S  30.0
#define NOT_GIVEN  UINT_MAX /* of a method or a reference */
#define RUN        "run"
#define ACTIONS                                                                                                      \
    RUN ", list, show, get, observe, send, commands, add, import, revoke, forget, rotate, card, request, accept or " \
        "qkd"

typedef struct device_arguments {
    device_options run;
    device_asking ask;
    unsigned long count;
    bool json;
} device_arguments;

static const larch_option rows[] = {
    {.name = "oscore",
     .kind = LARCH_OPTION_COPY,
     .value = "CONTEXTFILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, run.context_path),
     .text = "run: the context that the gateway holds too (coap-oscore-conf(5)). CONTEXTFILE.state beside it "
             "holds what must never be used twice, CONTEXTFILE.reading the reading under way"},
    {.name = "enrolment",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, run.enrolment_path),
     .text = "run: shake hands with the gateway of this enrolment, which add made. FILE.state beside it keeps the "
             "session, FILE.reading the reading under way"},
    {.name = "out",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.out),
     .text = "add, request: write the enrolment to this new file, of mode 0600; request needs it, add needs it or --qr "
             "or --qr-png. qkd: required with --key-id, else left out unless the enrolment is to travel. card: the "
             "card. import: a "
             "folder, "
             "where each device gets NAME.enrolment"},
    {.name = "suite",
     .kind = LARCH_OPTION_COPY,
     .value = "NAME",
     .wants = LARCH_APP_SUITE_WANTS,
     LARCH_OPTION_AT(device_arguments, ask.suite),
     .text = "add, card, request, qkd: the cipher suite of its handshakes: ml-kem-512 (default), ml-kem-512-gcm, "
             "ml-kem-1024 or x-wing; p-256 and p-256-mac16, which a quantum computer breaks, only if the gateway "
             "allows them"},
    {.name = "by",
     .kind = LARCH_OPTION_CHOICE,
     .value = "HOW",
     .choices = device_references,
     LARCH_OPTION_AT(device_arguments, ask.reference),
     .text = "how the device names its credential. add --method 0: kid (default) or ccs, the whole of it. request: "
             "cwt (default), the whole of it, or hash, which is shorter and needs 'accept' on the gateway"},
    {.name = "card",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.card),
     .text = "request: the gateway's card; required. qkd --key-id: likewise"},
    {.name = "url",
     .kind = LARCH_OPTION_COPY,
     .value = "URL",
     .wants = "an address of at most 255 bytes",
     LARCH_OPTION_AT(device_arguments, ask.qkd.url),
     .text = "qkd: the key delivery service on this side, https://HOST[:PORT]; required"},
    {.name = "sae",
     .kind = LARCH_OPTION_COPY,
     .value = "ID",
     .wants = "an ID of 1 to 128 bytes",
     LARCH_OPTION_AT(device_arguments, ask.qkd.sae),
     .text = "qkd: the SAE ID of the other side: on the gateway's machine the device's, on the device the gateway's; "
             "required"},
    {.name = "cert",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.qkd.cert),
     .text = "qkd: the certificate (PEM) by which the service knows this side; required"},
    {.name = "key",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.qkd.key),
     .text = "qkd: its private key (PEM, without a passphrase); required"},
    {.name = "cacert",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.qkd.cacert),
     .text = "qkd: the certificates (PEM) of those who may vouch for the service; no others are trusted. Required"},
    {.name = "key-id",
     .kind = LARCH_OPTION_COPY,
     .value = "UUID",
     .wants = "a UUID",
     LARCH_OPTION_AT(device_arguments, ask.qkd.key_id),
     .text = "qkd, on the device: fetch this key, which qkd on the gateway's machine has named"},
    {.name = "authority",
     .kind = LARCH_OPTION_COPY,
     .value = "HOST[:PORT]",
     .wants = "an address of at most 255 bytes",
     LARCH_OPTION_AT(device_arguments, ask.authority),
     .text = "add, request, qkd: put the gateway's address into the enrolment, so that the device needs no other"},
    {.name = "name",
     .kind = LARCH_OPTION_COPY,
     .value = "NAME",
     .wants = "a name of 1 to 32 bytes",
     LARCH_OPTION_AT(device_arguments, run.name),
     .text = "run: report to /r/NAME (default temperature)"},
    {.name = "interval",
     .kind = LARCH_OPTION_PERIOD,
     .value = "S",
     LARCH_OPTION_AT(device_arguments, run.interval),
     .text = "run: report a simulated temperature every S seconds (default 10)"},
    {.name = "lines",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, run.lines),
     .text = "run: report each line of standard input instead, and end with it"},
    {.name = "observe",
     .kind = LARCH_OPTION_COPY,
     .value = "PATH",
     .wants = "a path of 1 to 48 bytes",
     LARCH_OPTION_AT(device_arguments, run.observe),
     .text = "run: observe a resource of the gateway, as r/NAME, and print what changes"},
    {.name = "state",
     .kind = LARCH_OPTION_COPY,
     .value = "DIR",
     .wants = "a folder",
     LARCH_OPTION_AT(device_arguments, ask.state),
     .text = "run --enrolment: the folder for the session and the reading under way; default: beside the enrolment. "
             "Else the gateway's state folder; default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch"},
    {.name = "no-clock",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, run.has_no_clock),
     .text = "run --enrolment: do not believe this host's clock: take the time from the gateway, once it is "
             "authenticated, and shake hands at each start"},
    {.name = "timeout",
     .kind = LARCH_OPTION_PERIOD,
     .value = "S",
     LARCH_OPTION_AT(device_arguments, ask.timeout),
     .text = "get, observe, send, rotate: seconds to wait for the device's first answer (default 30). qkd: for the "
             "service's"},
    {.name = "method",
     .kind = LARCH_OPTION_CHOICE,
     .value = "METHOD",
     .choices = device_methods,
     LARCH_OPTION_AT(device_arguments, ask.method),
     .text = "send: post (default) or put. add: 4, a pre-shared key (default), or 0, signatures by ML-DSA"},
    {.name = "allow",
     .kind = LARCH_OPTION_COPY,
     .value = "PATH",
     .wants = LARCH_APP_POLICY_WANTS,
     LARCH_OPTION_LIST(device_arguments, ask.allow, ask.allow_count),
     .text = "add, import, qkd: the device may use this resource, r/NAME, or r/* for all; may be given several times. "
             "report:r/NAME "
             "allows it to report alone, read:r/NAME to read and observe alone. Without any it may use all"},
    {.name = "dry-run",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, ask.is_dry),
     .text = "import: only check the file, and add nothing"},
    {.name = "qr",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, ask.draws),
     .text = "add: show the enrolment as a QR code, once"},
    {.name = "qr-png",
     .kind = LARCH_OPTION_COPY,
     .value = "FILE",
     .wants = "the name of a file",
     LARCH_OPTION_AT(device_arguments, ask.picture),
     .text = "add: write the enrolment as a QR code to this new file, of mode 0600"},
    {.name = "yes",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, ask.is_sure),
     .text = "forget: do not ask"},
    {.name = "expires",
     .kind = LARCH_OPTION_PERIOD,
     .value = "S",
     LARCH_OPTION_AT(device_arguments, ask.expires),
     .text = "send: give the command up if it was not delivered within S seconds (default 86400)"},
    {.name = "wait",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, ask.waits),
     .text = "send: wait until the command has ended, also for a device that sleeps"},
    {.name = "count",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = ULONG_MAX,
     LARCH_OPTION_AT(device_arguments, count),
     .text = "run: end when N readings were accepted; observe: when N notifications were printed"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(device_arguments, json),
     .text = "one JSON object an event, an answer or a context on stdout"},
    LARCH_STORE_UNLOCK_ROWS(device_arguments, ask.store, NULL),
};

const larch_command larch_device_command = {
    .name = NAME,
    .text = "be a device in a session with a gateway, or ask a gateway's devices",
    .usage = "run --oscore CONTEXTFILE coap://HOST[:PORT] [OPTION]...\n"
             "run --enrolment FILE [coap://HOST[:PORT]] [OPTION]...\n"
             "list [OPTION]...\n"
             "show NAME [OPTION]...\n"
             "get|observe NAME PATH [OPTION]...\n"
             "send NAME PATH [VALUE|-] [OPTION]...\n"
             "commands NAME [OPTION]...\n"
             "add NAME --out FILE|--qr|--qr-png FILE [OPTION]...\n"
             "import FILE.csv --out DIR [OPTION]...\n"
             "revoke|forget|rotate NAME [OPTION]...\n"
             "card --out FILE [OPTION]...\n"
             "request NAME --card FILE --out FILE [OPTION]...\n"
             "accept FILE [OPTION]...\n"
             "qkd NAME --url URL --sae ID --cert FILE --key FILE --cacert FILE [OPTION]...",
    .about =
        "On a device, reports readings to a gateway and answers its commands. On the gateway's machine,\n"
        "asks the gateway's devices. OSCORE protects every message between the two.\n"
        "\n"
        "  run       reports readings. A reading is sent under the same number until the gateway has\n"
        "            it, also after a restart of the device, so that the gateway stores it once. The\n"
        "            device has the resources /time, /led (on, off), /interval (seconds) and, if it is\n"
        "            enrolled, /session (renew).\n"
        "  list      prints each context of each device: the device's name, its kid, the address it\n"
        "            was last heard at (-: not since the gateway's start), how many messages the\n"
        "            gateway has sent under it, and how many it may still carry; when the device was\n"
        "            last seen, and how it shakes hands\n"
        "  show      prints all that is on record of one device\n"
        "  get       prints a resource of the device NAME\n"
        "  observe   prints it, and again whenever the device reports a change\n"
        "  send      sends VALUE, or standard input, to a resource. For a device that sleeps the command\n"
        "            is queued, until the device is heard again or the command expires. By --method post\n"
        "            it is carried out at most once; if that is not known, its state is unknown. By put\n"
        "            it is sent again until the device answers\n"
        "  commands  prints the commands of a device: queued, sent, done, failed, expired or unknown\n"
        "  add       adds a device that shakes hands (LAKE: EDHOC, RFC 9528) with a key of its own, and\n"
        "            writes its enrolment, once\n"
        "  import    adds the devices of a list of comma-separated values, whose first row names the\n"
        "            columns: name, and if they are there method, suite, by, authority and allow, as the\n"
        "            options of add. Prints a result a row: line, name, result, file or reason. If a row\n"
        "            is wrong no device is added\n"
        "  revoke    deletes a device, its keys and its sessions; a credential for its key counts no more\n"
        "  forget    revokes a device, and erases its last readings. What waits to be delivered to a\n"
        "            reader of the gateway is delivered still\n"
        "  rotate    makes an enrolled device renew its session now: new keys, by another handshake.\n"
        "            What is under way is not lost\n"
        "  card      writes what devices need to know of the gateway, for request\n"
        "  request   on a device: makes its key and its enrolment, and FILE.request, which the fleet's\n"
        "            authority signs ('larch ca sign'). The credential is then put beside as FILE.cwt\n"
        "  accept    puts a credential on record, so that its device can name it by its hash\n"
        "  qkd       adds a device whose key comes from a key delivery service (ETSI GS QKD 014), and\n"
        "            prints the key's ID. On the device, with --key-id UUID, --card and --out, fetches\n"
        "            the same key from the service there and writes the enrolment, so that no key\n"
        "            goes from one to the other by larch\n"
        "\n"
        "All but run, request and qkd --key-id ask the gateway that runs over the state folder; add, import, qkd and\n"
        "revoke work without one, too. Whoever owns the folder, and root, may do so. A device can be asked once the "
        "gateway has\n"
        "heard of it since its start.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 4,
    .surplus = "quote the value",
};

/* ---- run ------------------------------------------------------------------------- */

static larch_exit take_uri(device_run *run, const char *text)
{
    larch_posix_reason why;
    if (larch_posix_uri_parse(text, &run->uri, &why) != 0)
        return larch_app_bad_address(NAME, text, &why);
    if (run->uri.path[0] != '\0' || run->uri.query[0] != '\0')
        return larch_app_usage(NAME, "%s: leave the path out: readings go to /r/NAME, and --name sets NAME", text);
    if (run->uri.peer.port == 0)
        return larch_app_usage(NAME, "%s: no gateway listens on port 0", text);
    return LARCH_EXIT_DONE;
}

static larch_exit check_run(const device_options *o)
{
    if (o->context_path[0] == '\0' && o->enrolment_path[0] == '\0')
        return larch_app_usage(NAME, "which keys? Give --enrolment FILE or --oscore CONTEXTFILE");
    if (o->context_path[0] != '\0' && o->enrolment_path[0] != '\0')
        return larch_app_usage(NAME, "--oscore and --enrolment exclude each other");
    if (o->enrolment_path[0] == '\0' && (o->state[0] != '\0' || o->has_no_clock))
        return larch_app_usage(NAME, "run: --state and --no-clock go with --enrolment");
    if (o->lines && o->interval > 0)
        return larch_app_usage(NAME, "--lines and --interval exclude each other");
    if (o->interval > INTERVAL_MAX_S)
        return larch_app_usage(NAME, "--interval: at most %g seconds, which is a day", INTERVAL_MAX_S);
    if (strchr(o->name, '/') != NULL)
        return larch_app_usage(NAME, "--name %s: a name has no slashes", o->name);
    return LARCH_EXIT_DONE;
}

static larch_exit be_device(device_arguments *arguments, const larch_operands *operands)
{
    static device_run run;
    larch_exit code;
    if (operands->count == 1 && arguments->run.enrolment_path[0] == '\0')
        return larch_app_usage(NAME, "which gateway? Give coap://HOST[:PORT]");
    if (operands->count > 2)
        return larch_app_usage(NAME, "'%s' is one argument too many", operands->words[2]);
    (void)larch_app_copy(arguments->ask.state, arguments->run.state, sizeof arguments->run.state);
    if ((code = check_run(&arguments->run)) != LARCH_EXIT_DONE)
        return code;
    run.udp.fd = run.file.fd = -1;
    run.options = arguments->run;
    run.options.count = arguments->count;
    run.options.json = arguments->json;
    if (run.options.interval < 0)
        run.options.interval = INTERVAL_S;
    if (run.options.name[0] == '\0')
        (void)larch_app_copy("temperature", run.options.name, sizeof run.options.name);
    if ((operands->count == 1 || (code = take_uri(&run, operands->words[1])) == LARCH_EXIT_DONE) &&
        (code = larch_app_start_crypto(NAME)) == LARCH_EXIT_DONE && (code = device_run_all(&run)) == LARCH_EXIT_DONE)
        code = larch_app_end_output(NAME);
    return code;
}

/* ---- options of some actions --------------------------------------------------------- */

/* An option that was given and that the action does not take; NULL: there is none. */
static const char *find_misplaced(const device_arguments *a, const char *action)
{
    const struct {
        const char *option;
        bool is_given;
        const char *actions; /* that take it: no name of an action stands in another */
    } places[] = {{"oscore", a->run.context_path[0] != '\0', RUN},
                  {"name", a->run.name[0] != '\0', RUN},
                  {"interval", a->run.interval >= 0, RUN},
                  {"lines", a->run.lines, RUN},
                  {"observe", a->run.observe[0] != '\0', RUN},
                  {"no-clock", a->run.has_no_clock, RUN},
                  {"enrolment", a->run.enrolment_path[0] != '\0', RUN},
                  {"out", a->ask.out[0] != '\0', "add import card request qkd"},
                  {"authority", a->ask.authority[0] != '\0', "add request qkd"},
                  {"suite", a->ask.suite[0] != '\0', "add card request qkd"},
                  {"by", a->ask.reference != NOT_GIVEN, "add request"},
                  {"card", a->ask.card[0] != '\0', "request qkd"},
                  {"url", a->ask.qkd.url[0] != '\0', "qkd"},
                  {"sae", a->ask.qkd.sae[0] != '\0', "qkd"},
                  {"cert", a->ask.qkd.cert[0] != '\0', "qkd"},
                  {"key", a->ask.qkd.key[0] != '\0', "qkd"},
                  {"cacert", a->ask.qkd.cacert[0] != '\0', "qkd"},
                  {"key-id", a->ask.qkd.key_id[0] != '\0', "qkd"},
                  {"state", a->ask.state[0] != '\0',
                   RUN " list get observe send show commands add import revoke forget rotate card accept qkd"},
                  {"timeout", a->ask.timeout >= 0, "get observe send rotate qkd"},
                  {"method", a->ask.method != NOT_GIVEN, "send add import"},
                  {"qr", a->ask.draws, "add"},
                  {"qr-png", a->ask.picture[0] != '\0', "add"},
                  {"yes", a->ask.is_sure, "forget"},
                  {"expires", a->ask.expires >= 0, "send"},
                  {"wait", a->ask.waits, "send"},
                  {"store-passphrase", a->ask.store.passphrase[0] != '\0', "add import revoke qkd"},
                  {"store-pin", a->ask.store.pin[0] != '\0', "add import revoke qkd"},
                  {"count", a->count > 0, RUN " observe"}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i].is_given && strstr(places[i].actions, action) == NULL)
            return places[i].option;
    return NULL;
}

static larch_exit ask_devices(device_arguments *arguments, const larch_operands *operands)
{
    device_asking *ask = &arguments->ask;
    if (ask->timeout < 0)
        ask->timeout = TIMEOUT_S;
    if (ask->expires < 0)
        ask->expires = DEVICE_EXPIRES_S;
    const bool adds = strcmp(operands->words[0], "add") == 0 || strcmp(operands->words[0], "import") == 0 ||
                      strcmp(operands->words[0], "qkd") == 0;
    if (ask->method == NOT_GIVEN)
        ask->method = adds ? DEVICE_METHOD_PSK : DEVICE_METHOD_POST;
    if ((ask->method >= DEVICE_METHOD_PSK) != adds && (adds || strcmp(operands->words[0], "send") == 0))
        return larch_app_usage(NAME, "'%s' takes no --method %s", operands->words[0], device_methods[ask->method]);
    if (ask->reference == NOT_GIVEN)
        ask->reference = adds ? DEVICE_BY_KID : DEVICE_BY_CWT;
    if ((ask->reference >= DEVICE_BY_CWT) != (strcmp(operands->words[0], "request") == 0) &&
        (adds || strcmp(operands->words[0], "request") == 0))
        return larch_app_usage(NAME, "'%s' takes no --by %s", operands->words[0], device_references[ask->reference]);
    ask->count = arguments->count;
    ask->json = arguments->json;
    return device_ask(ask, operands);
}

int larch_device_main(int argc, char **argv)
{
    static device_arguments arguments = {
        .run.interval = -1, .ask = {.timeout = -1, .expires = -1, .method = NOT_GIVEN, .reference = NOT_GIVEN}};
    larch_operands operands;
    const larch_exit code = larch_command_parse(&larch_device_command, &arguments, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (operands.count == 0)
        return larch_app_usage(NAME, "say what to do: " ACTIONS);
    const char *action = operands.words[0];
    const bool runs = strcmp(action, RUN) == 0;
    if (!runs && !device_is_asking(action))
        return larch_app_usage(NAME, "there is no '%s': " ACTIONS, action);
    const char *misplaced = find_misplaced(&arguments, action);
    if (misplaced != NULL)
        return larch_app_usage(NAME, "'%s' takes no --%s", action, misplaced);
    return runs ? be_device(&arguments, &operands) : ask_devices(&arguments, &operands);
}
