/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/notes.h"

#include <string.h>

#define NOTES (const page_note[])
#define END        \
    {              \
        NULL, NULL \
    }
#define DONE                                  \
    {                                         \
        "0", "Everything asked for was done." \
    }
#define FAILED                                                                          \
    {                                                                                   \
        "1", "It failed. A line on standard error names the cause and what to do next." \
    }
#define USAGE                                                                           \
    {                                                                                   \
        "2", "The command line, or the configuration file, is wrong. Nothing was done." \
    }
#define REFUSED(what) \
    {                 \
        "3", what     \
    }

#define STATE_FOLDER                                                                                              \
    {                                                                                                             \
        "$STATE_DIRECTORY, or ${XDG_STATE_HOME:-~/.local/state}/larch",                                           \
            "The gateway's state: identity, keys, replay marks and the outbox. Nobody but its owner can read it." \
    }
#define STATE_ENVIRONMENT                                                         \
    {"STATE_DIRECTORY", "The state folder, as systemd hands it over."},           \
    {                                                                             \
        "XDG_STATE_HOME", "Where state folders stand, instead of ~/.local/state." \
    }
#define NO_COLOR                                         \
    {                                                    \
        "NO_COLOR", "If it is set, nothing is coloured." \
    }

static const page_notes all[] = {
    {"",
     .exit_status =
         NOTES{DONE, FAILED, USAGE,
               REFUSED("It was refused for security: a key that is not trusted, or an answer that nothing proves."),
               END},
     .examples = NOTES{{"larch demo", "Shows a gateway, a sender, a sniffer and an attacker at work on this machine."},
                       {"larch help send", "Prints the help of a command."},
                       END},
     .see_also = "larch-gateway(1), larch-send(1), larch-device(1), larch-ca(1), larch-discover(1), larch-keys(1), "
                 "larch-sniff(1), "
                 "larch-extcap(1), "
                 "larch-oled(1), larch-bench(1), larch-demo(1), gateway.ini(5)"},
    {"gateway",
     .files =
         NOTES{STATE_FOLDER,
               {"$CONFIGURATION_DIRECTORY/gateway.ini",
                "Settings, if it is there and --config names no other file; gateway.ini(5) lists them. The unit reads "
                "/etc/larch/gateway.ini."},
               END},
     .environment = NOTES{STATE_ENVIRONMENT,
                          {"CONFIGURATION_DIRECTORY", "The folder of gateway.ini, as systemd hands it over."},
                          NO_COLOR,
                          END},
     .signals =
         NOTES{{"SIGTERM, SIGINT", "The gateway answers what it has accepted, writes its state, and ends."},
               {"SIGHUP", "The gateway reads its configuration file again, takes over [limits] but for addresses, and "
                          "names what needs a restart."},
               {"SIGPIPE, SIGXFSZ", "They are ignored: a closed reader or a full file is reported as what it is."},
               END},
     .exit_status = NOTES{DONE, FAILED, USAGE, END},
     .examples = NOTES{{"larch gateway", "Serves on every address, with its state in the default folder."},
                       {"larch gateway --listen 192.0.2.1:5683 --state /var/lib/larch --json",
                        "Serves on one address, and prints one JSON object a message."},
                       {"larch gateway --config /etc/larch/gateway.ini", "Reads its settings from a file."},
                       END},
     .see_also = "gateway.ini(5), larch-keys(1), larch-send(1), systemd.service(5)"},
    {"send",
     .files = NOTES{{"${XDG_STATE_HOME:-~/.local/state}/larch",
                     "Holds the record of known gateways, a text file that is replaced as a whole."},
                    {"CONTEXTFILE.state",
                     "With --oscore: holds which sequence numbers and readings' numbers were used. Whoever deletes it, "
                     "or restores an older one, must change the keys of the context."},
                    {"FILE.state",
                     "With --enrolment: holds the session and the key of its resumption. Whoever deletes it makes the "
                     "device shake hands anew; an older one must never be restored."},
                    END},
     .environment = NOTES{{"XDG_STATE_HOME", "Where state folders stand, instead of ~/.local/state."}, NO_COLOR, END},
     .exit_status =
         NOTES{DONE, FAILED, USAGE,
               REFUSED("The key is not trusted, or the gateway's answer is not proven. Nothing was sealed to an "
                       "untrusted key."),
               END},
     .examples =
         NOTES{{"larch send coap://192.0.2.1 'Hello' --trust-first-use", "Sends a text, and records the gateway."},
               {"echo 21.5 | larch send coap://gateway.example -", "Sends standard input to a gateway on record."},
               {"larch send --oscore kitchen.conf coap://192.0.2.1/r/kitchen 21.5", "Posts a reading under OSCORE."},
               {"larch send --enrolment kitchen.enrolment coap://192.0.2.1/r/kitchen 21.5",
                "Shakes hands if there is no session yet, and posts a reading in it."},
               END},
     .see_also = "larch-gateway(1), larch-keys(1), larch-discover(1)"},
    {"device",
     .files =
         NOTES{{"CONTEXTFILE.state",
                "Holds which sequence numbers and readings' numbers were used. It is replaced as a whole. Whoever "
                "deletes it, or restores an older one, must change the keys of the context."},
               {"FILE.state",
                "With --enrolment: holds the session and the key of its resumption. Whoever deletes it makes the "
                "device shake hands anew; an older one must never be restored."},
               {"CONTEXTFILE.reading, FILE.reading", "Holds the reading under way, which is sent again after a cut."},
               {"FILE.cwt",
                "With an enrolment that request made: the credential that the fleet's authority signed. A new one may "
                "take its place at any time."},
               STATE_FOLDER,
               END},
     .environment = NOTES{STATE_ENVIRONMENT, END},
     .signals =
         NOTES{{"SIGTERM, SIGINT", "With run: the device ends its observation, writes its state, and ends."}, END},
     .exit_status =
         NOTES{DONE, FAILED, USAGE,
               REFUSED("The context file or its state is not safe to use, or the context is used up. Nothing "
                       "was sent. With qkd: no certificate of --cacert vouches for the service."),
               END},
     .examples =
         NOTES{{"larch device run --oscore kitchen.conf coap://192.0.2.1 --name kitchen --interval 60",
                "Reports a simulated temperature every minute, and takes commands."},
               {"larch device add kitchen --out kitchen.enrolment --authority gateway.example",
                "On the gateway's machine, adds a device that shakes hands, and writes its enrolment."},
               {"larch device run --enrolment kitchen.enrolment --name kitchen", "Is that device."},
               {"larch device request pump --card gateway.card --out pump",
                "On a device, makes its key, and pump.request for the fleet's authority."},
               {"larch device qkd pump --url https://kme.example --sae pump-sae --cert gw.pem --key gw.key --cacert "
                "ca.pem",
                "On the gateway's machine, adds a device with a key of a QKD service, and prints the key's ID."},
               {"larch device send kitchen led on",
                "On the gateway's machine, switches the LED of the device that the gateway knows as kitchen."},
               {"larch device rotate kitchen", "Makes that device renew its keys now."},
               {"thermometer | larch device run --oscore kitchen.conf coap://gateway.example --lines --json",
                "Reports each line of another program."},
               END},
     .see_also = "larch-send(1), larch-gateway(1), larch-ca(1), larch-keys(1), coap-oscore-conf(5)"},
    {"ca",
     .files =
         NOTES{{"DIR/ca.key",
                "The authority's private key. Whoever has it makes devices that every gateway of the fleet takes in."},
               {"DIR/ca.pub", "Its public key, for larch gateway --ca."},
               END},
     .exit_status =
         NOTES{DONE, FAILED, USAGE,
               REFUSED("The request was not signed by the device's own key, or ca.key is not safe to use."), END},
     .examples = NOTES{{"larch ca init fleet", "Makes an authority."},
                       {"larch ca sign fleet pump.request --days 90", "Writes pump.cwt, for the device pump."},
                       END},
     .see_also = "larch-device(1), larch-gateway(1)"},
    {"discover", .exit_status = NOTES{{"0", "At least one gateway answered."}, FAILED, USAGE, END},
     .examples = NOTES{{"larch discover", "Lists the gateways of this network."},
                       {"larch discover --to 192.0.2.1 --json", "Asks one address alone."},
                       END},
     .see_also = "larch-send(1), larch-keys(1)"},
    {"sniff", .exit_status = NOTES{DONE, FAILED, USAGE, END},
     .examples = NOTES{{"larch sniff -i wlan0 --alerts", "Watches an interface, and names attacks alone."},
                       {"larch sniff -r capture.pcapng --json", "Reads a capture as JSON lines."},
                       {"larch sniff -r capture.pcapng --keylog ~/.config/wireshark/oscore_contexts",
                        "Opens OSCORE messages with the security contexts that Wireshark was given."},
                       {"larch sniff -r capture.pcapng --alerts --fail-on alarm",
                        "Ends with exit status 3 if, among others, a handshake was downgraded."},
                       {"larch sniff --serial /dev/ttyUSB0 -w air.pcapng", "Records what a sniffer board hears."},
                       END},
     .see_also = "larch-extcap(1), wireshark(1), tshark(1), pcapng(5)"},
    {"extcap",
     .environment = NOTES{{"LARCH_EXTCAP_PORTS", "More ports to list as interfaces, separated by colons."}, END},
     .exit_status = NOTES{DONE, FAILED, USAGE, END},
     .examples = NOTES{{"larch extcap --extcap-interfaces", "Lists the interfaces, as Wireshark asks for them."}, END},
     .see_also = "larch-sniff(1), wireshark(1), extcap(4)"},
    {"oled", .environment = NOTES{NO_COLOR, END},
     .exit_status = NOTES{DONE, {"1", "It failed, or the stream holds what no SSD1306 understands."}, USAGE, END},
     .examples = NOTES{{"larch oled i2c.bin", "Draws the last picture of a record."},
                       {"larch oled i2c.bin --png - > display.png", "Writes it as PNG."},
                       END},
     .see_also = NULL},
    {"keys", .files = NOTES{STATE_FOLDER, END}, .environment = NOTES{STATE_ENVIRONMENT, END},
     .exit_status = NOTES{DONE, FAILED, USAGE, REFUSED("Others can read the context file."), END},
     .examples =
         NOTES{{"larch keys fingerprint",
                "Prints the identity, which senders give to larch send --pin, and the pin of each key."},
               {"larch keys rotate --state /var/lib/larch", "Makes new keys; a running gateway does it itself."},
               END},
     .see_also = "larch-gateway(1), larch-send(1), coap-oscore-conf(5)"},
    {"store",
     .files = NOTES{STATE_FOLDER,
                    {"store.key", "In that folder: the source of the store key, its check value, and the key as "
                                  "that source wraps it."},
                    END},
     .environment = NOTES{STATE_ENVIRONMENT,
                          {"CREDENTIALS_DIRECTORY", "The folder of credentials, as systemd hands it over."},
                          END},
     .exit_status =
         NOTES{DONE, FAILED, USAGE, REFUSED("A passphrase, PIN or credential is wrong. Nothing was changed."), END},
     .examples =
         NOTES{{"larch store show", "Prints where the store key comes from."},
               {"larch store rekey --to passphrase", "Asks for a passphrase, and seals every secret under a new key."},
               {"larch store rekey --to pkcs11 --new-token 'pkcs11:token=larch;object=store'",
                "Lets a key on a token wrap the store key."},
               END},
     .see_also = "larch-gateway(1), larch-keys(1), pkcs11.conf(5), systemd-creds(1)"},
    {"backup", .files = NOTES{STATE_FOLDER, END}, .environment = NOTES{STATE_ENVIRONMENT, END},
     .exit_status = NOTES{DONE, FAILED, USAGE, REFUSED("The passphrase of the store is wrong."), END},
     .examples =
         NOTES{{"larch backup /mnt/usb/gateway.larch", "Asks for a recovery passphrase, and writes the backup."}, END},
     .see_also = "larch-restore(1), larch-store(1)"},
    {"restore", .files = NOTES{STATE_FOLDER, END}, .environment = NOTES{STATE_ENVIRONMENT, END},
     .exit_status =
         NOTES{DONE, FAILED, USAGE,
               REFUSED("The recovery passphrase is wrong, the file was altered or damaged, or it is of another "
                       "machine. Nothing was changed."),
               END},
     .examples = NOTES{{"larch restore /mnt/usb/gateway.larch", "Asks, and replaces what is in the folder."},
                       {"larch restore --other-machine --store-key passphrase gateway.larch",
                        "Restores the gateway of a machine that is gone, with the store key under a passphrase."},
                       END},
     .see_also = "larch-backup(1), larch-store(1), larch-keys(1)"},
    {"bench", .exit_status = NOTES{DONE, FAILED, USAGE, END},
     .examples =
         NOTES{{"taskset -c 1 larch bench kem --markdown", "Measures KEMs and signatures on one core, as tables."},
               {"larch bench oscore --markdown", "Compares readings under OSCORE with a bare echo and libcoap."},
               {"larch bench gateway --senders 64", "Loads a gateway that it starts for the purpose."},
               {"larch bench handshake --json", "Shows what each handshake sends, computes and costs, a line each."},
               END},
     .see_also = "taskset(1)"},
    {"demo", .files = NOTES{{"demo.pcapng", "Left in the present folder, for Wireshark."}, END},
     .exit_status = NOTES{{"0", "Every step went as it must."}, {"1", "A step did not."}, USAGE, END},
     .examples = NOTES{{"larch demo", "Needs neither a network nor privileges."}, END}, .see_also = "wireshark(1)"},
};

const page_notes *page_notes_of(const char *command)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i].command, command) == 0)
            return &all[i];
    return NULL;
}
