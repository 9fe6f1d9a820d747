/* SPDX-License-Identifier: Apache-2.0 */
/* Whom `larch send` trusts: the pin, the record, and what to do without. */
#include <stdio.h>
#include <string.h>

#include "send/send_int.h"
#include "system.h"

#define COMMAND_MAX 48

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

static uint64_t now_s(void) { return (uint64_t)larch_posix_unix_ns() / 1000000000; }

static bool is_pin_of(const sending *s, larch_fingerprint_kind kind, const uint8_t bytes[LARCH_FINGERPRINT_LEN])
{
    return s->pin.kind == kind && memcmp(s->pin.bytes, bytes, LARCH_FINGERPRINT_LEN) == 0;
}

/* ---- before anything is sent --------------------------------------------- */

static void use_record(sending *s, larch_trust_basis *basis)
{
    const larch_known *r = &s->record;
    const uint64_t now = now_s(), age_s = now >= r->endorsed_s ? now - r->endorsed_s : UINT32_MAX; /* of the future */
    basis->pinned = true;
    basis->pin = r->pin;
    if (!r->has_keys)
        return;
    basis->ek = (larch_bytes){r->ek, r->kem->ek_len};
    if (r->pin.kind != LARCH_FINGERPRINT_IDENTITY)
        return;
    basis->root_ek = (larch_bytes){r->root_ek, r->kem->ek_len};
    basis->age_ms = age_s * 1000;
}

static larch_exit refuse_other_identity(const sending *s)
{
    char on_record[LARCH_FINGERPRINT_TEXT_LEN + 1], pinned[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, s->seen.pin.bytes, on_record);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, s->pin.bytes, pinned);
    fprintf(stderr,
            "larch send: refused: %s is on record with another identity than the pinned one.\n"
            "  pinned:    %s (--pin)\n"
            "  on record: %s (%s)\n"
            "A new identity never replaces one on record. If another gateway was put in the old one's\n"
            "place, delete the old one's lines in that file.\n",
            s->authority, pinned, on_record, s->place.path);
    return LARCH_EXIT_REFUSED;
}

/* A record whose trust began with the pinned key stands for it, so that it can have been rotated since; one that did not
 * is of no use to a user who gives a pin. An identity that is on record stays: see send_allows_key. */
static bool stands_for_pin(const sending *s)
{
    return s->seen.pin.kind == LARCH_FINGERPRINT_IDENTITY || is_pin_of(s, LARCH_FINGERPRINT_KEY, s->seen.pin.bytes) ||
           is_pin_of(s, LARCH_FINGERPRINT_KEY, s->seen.began);
}

larch_exit send_load_basis(sending *s, larch_trust_basis *basis)
{
    char why[LARCH_KNOWN_WHY_MAX];
    bool near;
    larch_error e = larch_known_find_place(s->known_path[0] != '\0' ? s->known_path : NULL, &s->place, why);
    if (e == LARCH_OK)
        e = larch_known_find(&s->place, s->authority, s->config.kem, &s->seen, why);
    s->record = s->seen;
    if ((e == LARCH_OK || e == LARCH_STATE) && s->pin.kind == LARCH_FINGERPRINT_IDENTITY) {
        if (s->seen.pin.kind == LARCH_FINGERPRINT_IDENTITY &&
            !is_pin_of(s, LARCH_FINGERPRINT_IDENTITY, s->seen.pin.bytes))
            return refuse_other_identity(s);
        e = larch_known_find_identity(&s->place, s->pin.bytes, s->authority, s->config.kem, &s->record, &near, why);
    } else if (s->pin.kind == LARCH_FINGERPRINT_KEY && !stands_for_pin(s)) {
        s->record.pin.kind = 0;
    }
    if (e != LARCH_OK && e != LARCH_STATE)
        return larch_app_fail(NAME, "%s", why);
    *basis = (larch_trust_basis){.identify = s->pin.kind != LARCH_FINGERPRINT_KEY};
    if (s->record.pin.kind != 0) {
        use_record(s, basis);
    } else if (s->pin.kind != 0) {
        basis->pinned = true;
        basis->pin = s->pin;
    }
    return LARCH_EXIT_DONE;
}

/* ---- once the gateway has shown itself ----------------------------------- */

bool send_decide(sending *s)
{
    char why[LARCH_KNOWN_WHY_MAX];
    larch_known known;
    bool near = false;
    const uint8_t *identity = larch_trust_identity(larch_sender_trust_of(&s->sender));
    const bool on_record = identity != NULL && larch_known_find_identity(&s->place, identity, s->authority,
                                                                         s->config.kem, &known, &near, why) == LARCH_OK;
    if ((!on_record || !near) && !s->first_use)
        return false;
    if (s->seen.other != NULL) /* the name would go over to what its key did not vouch for */
        return false;
    s->trust = on_record && near ? "on record" : "first use";
    return larch_sender_trust(&s->sender, larch_posix_now_ms()) == LARCH_OK;
}

bool send_allows_key(const sending *s)
{
    const uint8_t *hash;
    (void)larch_sender_key(&s->sender, &hash);
    return s->pin.kind != LARCH_FINGERPRINT_KEY || !larch_trust_has_identity(larch_sender_trust_of(&s->sender)) ||
           is_pin_of(s, LARCH_FINGERPRINT_KEY, hash);
}

/* ---- the record ----------------------------------------------------------- */

/* What to keep of the sender's trust. */
static larch_known record_of(const sending *s)
{
    const larch_trust *trust = larch_sender_trust_of(&s->sender);
    const larch_trust_basis basis = larch_trust_record(trust, larch_posix_now_ms());
    larch_known fresh = {.kem = s->config.kem, .pin = basis.pin, .has_keys = basis.ek.len > 0};
    memcpy(fresh.name, s->authority, sizeof fresh.name);
    memcpy(fresh.ek, basis.ek.data, basis.ek.len);
    if (basis.root_ek.len > 0)
        memcpy(fresh.root_ek, basis.root_ek.data, basis.root_ek.len);
    if (basis.pin.kind == LARCH_FINGERPRINT_IDENTITY)
        fresh.endorsed_s = now_s() - basis.age_ms / 1000;
    else /* the pin that trust began with stays on record through rotations that were endorsed */
        memcpy(fresh.began, s->seen.pin.kind != 0 && larch_sender_rotated(&s->sender) ? s->seen.began : basis.pin.bytes,
               sizeof fresh.began);
    return fresh;
}

static bool is_on_record(const sending *s, const larch_known *fresh)
{
    const larch_known *seen = &s->seen;
    const uint64_t later = fresh->endorsed_s > seen->endorsed_s ? fresh->endorsed_s - seen->endorsed_s
                                                                : seen->endorsed_s - fresh->endorsed_s;
    return seen->pin.kind == fresh->pin.kind &&
           memcmp(seen->pin.bytes, fresh->pin.bytes, sizeof seen->pin.bytes) == 0 && seen->has_keys &&
           memcmp(seen->ek, fresh->ek, fresh->kem->ek_len) == 0 && later <= 2; /* seconds are rounded */
}

static const char *describe(const sending *s, const larch_known *fresh)
{
    const bool rotated = larch_sender_rotated(&s->sender);
    if (s->seen.pin.kind == 0)
        return "";
    if (s->seen.pin.kind == LARCH_FINGERPRINT_IDENTITY)
        return rotated ? ", whose root endorsed another key" : ", whose root endorsed its key";
    if (fresh->pin.kind == LARCH_FINGERPRINT_IDENTITY)
        return s->pin.kind == 0 ? ", in place of the key that vouched for it" : ", in place of a key: --pin";
    return rotated ? ", in place of the one that endorsed it" : ", in place of another one: --pin";
}

larch_exit send_record(sending *s)
{
    char why[LARCH_KNOWN_WHY_MAX], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], result[128];
    const larch_known fresh = record_of(s);
    if (is_on_record(s, &fresh))
        return LARCH_EXIT_DONE;
    const larch_error e = larch_known_put(&s->place, &fresh, &s->seen, why);
    if (e != LARCH_OK) {
        (void)larch_app_fail(NAME, "%s", why);
        return e == LARCH_STATE ? LARCH_EXIT_REFUSED : LARCH_EXIT_FAILED;
    }
    larch_fingerprint_format(fresh.pin.kind, fresh.pin.bytes, fingerprint);
    (void)snprintf(result, sizeof result, "%s%s", fingerprint, describe(s, &fresh));
    larch_show_line(&s->show, "recorded", result);
    s->seen = fresh;
    return LARCH_EXIT_DONE;
}

/* ---- refusals -------------------------------------------------------------- */

/* What to run on the gateway, to compare: the identity comes first, a key's line is found by its set. */
static const char *command_for(const sending *s, larch_fingerprint_kind kind, char text[COMMAND_MAX])
{
    const unsigned set = s->config.kem->set;
    if (kind == LARCH_FINGERPRINT_IDENTITY)
        return "larch keys fingerprint";
    if (set == LARCH_XWING_SET)
        return "larch keys fingerprint --kem xwing";
    (void)snprintf(text, COMMAND_MAX, "larch keys fingerprint --kem %u", set);
    return text;
}

static larch_fingerprint_kind kind_of(const char *shown)
{
    return strncmp(shown, "larch2:", strlen("larch2:")) == 0 ? LARCH_FINGERPRINT_IDENTITY : LARCH_FINGERPRINT_KEY;
}

static larch_exit refuse_unvouched(const sending *s, const char *shown)
{
    fprintf(stderr,
            "larch send: refused: %s is on record with a key of --kem %s, which did not vouch for what it shows:\n"
            "  %s\n"
            "Send with --kem %s first: the key on record may vouch for it. Or, if 'larch keys fingerprint' on the\n"
            "gateway prints the same, pin it:\n",
            s->authority, larch_direct_kem_name(s->seen.other), shown, larch_direct_kem_name(s->seen.other));
    print_command(s, "--pin", shown);
    return LARCH_EXIT_REFUSED;
}

static larch_exit refuse_unknown(const sending *s, const char *shown)
{
    char command[COMMAND_MAX];
    fprintf(stderr,
            "larch send: refused: nothing of %s is on record, and nothing vouches for what it shows:\n"
            "  %s\n"
            "If '%s' on the gateway prints the same, pin it:\n",
            s->authority, shown, command_for(s, kind_of(shown), command));
    print_command(s, "--pin", shown);
    fputs("or, if nobody else can answer on the way to it, trust what is there now:\n", stderr);
    print_command(s, "--trust-first-use", NULL);
    return LARCH_EXIT_REFUSED;
}

/* Both fingerprints, and what may have happened. */
static larch_exit refuse_other(const sending *s, const char *what, const char *shown)
{
    char pinned[LARCH_FINGERPRINT_TEXT_LEN + 1], command[COMMAND_MAX];
    const larch_fingerprint *pin = s->record.pin.kind != 0 ? &s->record.pin : &s->pin;
    larch_fingerprint_format(pin->kind, pin->bytes, pinned);
    fprintf(stderr, "larch send: refused: %s %s\n  pinned: %s (%s)\n", s->authority, what, pinned,
            s->pin.kind != 0 ? "--pin" : s->place.path);
    if (shown != NULL)
        fprintf(stderr, "  shown:  %s\n", shown);
    fprintf(stderr,
            "Either somebody stands between you and the gateway, or the gateway lost its state, or another one\n"
            "was put in its place. Run '%s' on the gateway: only if it prints what is shown\n"
            "here, %s.\n",
            command_for(s, shown != NULL ? kind_of(shown) : pin->kind, command),
            s->seen.pin.kind == LARCH_FINGERPRINT_IDENTITY
                ? "delete the old one's lines in the file of known gateways, and trust that with --pin"
                : "trust that with --pin");
    return LARCH_EXIT_REFUSED;
}

/* What the gateway shows: its identity, or its key. False: nothing. */
static bool format_shown(const sending *s, bool identity, char text[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    const uint8_t *hash = larch_trust_identity(larch_sender_trust_of(&s->sender));
    if (identity && hash != NULL) {
        larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, hash, text);
        return true;
    }
    if (larch_sender_key(&s->sender, &hash).len == 0)
        return false;
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, text);
    return true;
}

larch_exit send_refuse(const sending *s)
{
    char shown[LARCH_FINGERPRINT_TEXT_LEN + 1], text[LARCH_APP_FAILURE_MAX];
    switch (larch_sender_failure_of(&s->sender)) {
    case LARCH_SENDER_FAIL_NONE:
        if (larch_sender_state_of(&s->sender) == LARCH_SENDER_DECIDE && format_shown(s, true, shown))
            return s->seen.other != NULL ? refuse_unvouched(s, shown) : refuse_unknown(s, shown);
        return refuse_other(s, "shows another key than the pinned one.", format_shown(s, false, shown) ? shown : NULL);
    case LARCH_SENDER_FAIL_WRONG_KEY:
        return refuse_other(s,
                            larch_trust_has_identity(larch_sender_trust_of(&s->sender))
                                ? "has a key that the pinned identity does not endorse."
                                : "shows another key than the pinned one, which does not endorse it.",
                            format_shown(s, false, shown) ? shown : NULL);
    case LARCH_SENDER_FAIL_WRONG_IDENTITY:
        return refuse_other(s, "has another identity than the pinned one.",
                            format_shown(s, true, shown) ? shown : NULL);
    default:
        larch_app_failure(&s->sender, text);
        fprintf(stderr, "larch send: refused: %s: %s\n", s->authority, text);
        return LARCH_EXIT_REFUSED;
    }
}
