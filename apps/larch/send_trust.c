/* SPDX-License-Identifier: Apache-2.0 */
/* Whose key `larch send` trusts: the pin, the record, and what to do without. */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "send_int.h"

static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:[]%@+=,";
    const bool quote = word[0] == '\0' || strspn(word, plain) != strlen(word);
    fputs(quote ? " '" : " ", stderr);
    for (; *word != '\0'; word++)
        fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, stderr);
    fputs(quote ? "'" : "", stderr);
}

/* The command as it was given, with one more option, ready for a shell. */
static void print_command(const sending *s, const char *option, const char *value)
{
    fprintf(stderr, "  larch send %s%s%s", option, value != NULL ? " " : "", value != NULL ? value : "");
    for (int i = 1; i < s->argc; i++)
        print_word(s->argv[i]);
    fputc('\n', stderr);
}

larch_error send_load_pin(sending *s, char *why)
{
    larch_error e = LARCH_OK;
    if (s->known_path[0] == '\0')
        e = larch_known_default_path(s->known_path, sizeof s->known_path, why);
    if (e == LARCH_OK)
        e = larch_known_find(s->known_path, s->authority, s->config.kem, &s->record, why);
    if (e != LARCH_OK) {
        s->record.kem = NULL;
        return e == LARCH_STATE ? LARCH_OK : e;
    }
    /* A record whose trust began with the pin stands for it, so that it can have been
     * rotated since; one that did not is of no use to who gives a pin. */
    if (s->config.pinned && memcmp(s->config.pin, s->record.present, LARCH_FINGERPRINT_LEN) != 0 &&
        memcmp(s->config.pin, s->record.began, LARCH_FINGERPRINT_LEN) != 0)
        return LARCH_OK;
    memcpy(s->config.pin, s->record.present, LARCH_FINGERPRINT_LEN);
    s->config.pinned = true;
    s->config.pinned_ek = (larch_bytes){s->record.ek, s->config.kem->ek_len};
    return LARCH_OK;
}

/* The pin that trust began with stays on record through rotations that were endorsed. */
int send_record_key(sending *s)
{
    char why[LARCH_KNOWN_WHY_MAX], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], result[128];
    const uint8_t *hash;
    const larch_bytes ek = larch_sender_key(&s->sender, &hash);
    const bool on_record = s->record.kem != NULL, rotated = larch_sender_rotated(&s->sender);
    if (on_record && memcmp(hash, s->record.present, LARCH_FINGERPRINT_LEN) == 0)
        return -1;
    larch_known fresh = {.kem = s->config.kem};
    memcpy(fresh.authority, s->authority, sizeof fresh.authority);
    memcpy(fresh.ek, ek.data, ek.len);
    memcpy(fresh.present, hash, LARCH_FINGERPRINT_LEN);
    memcpy(fresh.began, on_record && rotated ? s->record.began : hash, LARCH_FINGERPRINT_LEN);
    larch_error e = larch_known_put(s->known_path, &fresh, on_record ? &s->record : NULL, why);
    if (e != LARCH_OK) {
        (void)larch_app_fail(NAME, "%s", why);
        return e == LARCH_STATE ? LARCH_EXIT_REFUSED : LARCH_EXIT_FAILED;
    }
    larch_fingerprint_format(hash, fingerprint);
    (void)snprintf(result, sizeof result, "%s%s", fingerprint,
                   rotated     ? ", in place of the one that endorsed it"
                   : on_record ? ", in place of another one: --pin"
                               : "");
    larch_show_line(&s->show, "recorded", result);
    if (rotated)
        s->trust = "endorsed";
    s->record = fresh;
    return -1;
}

int send_refuse_unknown(const sending *s, const char *fingerprint)
{
    fprintf(stderr,
            "larch send: refused: no key of %s is on record, and nothing vouches for the one it shows:\n"
            "  %s\n"
            "If 'larch keys fingerprint' on the gateway prints the same, pin it:\n",
            s->authority, fingerprint);
    print_command(s, "--pin", fingerprint);
    fputs("or, if nobody else can answer on the way to it, trust what is there now:\n", stderr);
    print_command(s, "--trust-first-use", NULL);
    return LARCH_EXIT_REFUSED;
}

int send_refuse_wrong(const sending *s, const char *fingerprint)
{
    char pinned[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(s->config.pin, pinned);
    fprintf(stderr,
            "larch send: refused: %s shows another key than the pinned one, which does not endorse it.\n"
            "  pinned: %s (%s)\n"
            "  shown:  %s\n"
            "Either somebody stands between you and the gateway, or the gateway lost its state or rotated\n"
            "its key too long ago. Run 'larch keys fingerprint' on the gateway: only if it prints the key\n"
            "shown here, trust that one with --pin.\n",
            s->authority, pinned, s->pin_text != NULL ? "--pin" : s->known_path, fingerprint);
    return LARCH_EXIT_REFUSED;
}
