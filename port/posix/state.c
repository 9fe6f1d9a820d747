/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <stdio.h>
#include <string.h>

#include "birth.h"
#include "format_1.h"
#include "larch/crypto.h"
#include "stamp.h"
#include "system.h"

#define MACHINE_ID_LEN 32 /* hexadecimal digits [machine-id(5)] */
#define MACHINE_SALT   "larch state folder, machine"

_Static_assert(LARCH_STATE_MACHINE_LEN == LARCH_SHA256_LEN, "the hash is kept whole");

bool larch_posix_machine_hash(const char *path, uint8_t out[LARCH_STATE_MACHINE_LEN])
{
    char id[MACHINE_ID_LEN + 2] = "";
    memset(out, 0, LARCH_STATE_MACHINE_LEN);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    const bool is_read = fgets(id, sizeof id, f) != NULL;
    fclose(f);
    const size_t digits = strspn(id, "0123456789abcdef");
    if (!is_read || digits != MACHINE_ID_LEN || (id[digits] != '\n' && id[digits] != '\0'))
        return false;
    const larch_bytes pieces[] = {LARCH_TEXT(MACHINE_SALT), {(const uint8_t *)id, MACHINE_ID_LEN}};
    return larch_sha256(pieces, 2, out) == LARCH_OK;
}

/* ---- a start ----------------------------------------------------------- */

static larch_error fail(larch_store_fault fault, const char *name, char faulty[LARCH_STORAGE_NAME_MAX + 1])
{
    memcpy(faulty, name, strlen(name) + 1);
    if (fault == LARCH_STORE_NONE)
        faulty[0] = '\0';
    return fault == LARCH_STORE_NONE ? LARCH_OK : fault == LARCH_STORE_MEDIUM ? LARCH_PLATFORM : LARCH_MALFORMED;
}

/* What a start works on. */
typedef struct start_context {
    larch_posix_storage *files;
    larch_storage *interface;
    larch_posix_names names;
    larch_posix_state *state;
} start_context;

static bool is_other_machine(const larch_state_head *head, const uint8_t *machine)
{
    static const uint8_t none[LARCH_STATE_MACHINE_LEN];
    return machine != NULL && memcmp(head->machine, none, sizeof none) != 0 &&
           memcmp(head->machine, machine, sizeof none) != 0;
}

static bool holds_identity(const start_context *c)
{
    size_t i = 0;
    while (i < c->names.count && strcmp(c->names.name[i], LARCH_STORED_IDENTITY_NAME) != 0)
        i++;
    return i < c->names.count;
}

/* Every start that came to its end has left an identity behind. */
static bool lacks_identity(const start_context *c, const larch_state_head *head)
{
    return head->complete > 0 && !holds_identity(c);
}

/* The head says where the folder was used, and how far the last start got. */
static larch_error judge(start_context *c, const larch_state_head *head, const uint8_t *machine,
                         char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    const larch_error e = larch_stamp_check(c->interface, c->names.name, c->names.count, head, faulty, fault);
    if (e != LARCH_OK)
        return e;
    if (lacks_identity(c, head)) {
        *fault = LARCH_STORE_MISSING;
        return fail(*fault, LARCH_STORED_IDENTITY_NAME, faulty);
    }
    *fault = is_other_machine(head, machine) ? LARCH_STORE_COPY : larch_posix_birth_check(c->files, c->interface, head);
    return fail(*fault, *fault == LARCH_STORE_COPY ? LARCH_STATE_HEAD_NAME : LARCH_POSIX_BIRTH_NAME, faulty);
}

static larch_error note_birth(start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    *fault = larch_posix_birth_note(c->files, c->interface);
    return fail(*fault, LARCH_POSIX_BIRTH_NAME, faulty);
}

static larch_error start(start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    uint8_t hash[LARCH_STATE_MACHINE_LEN];
    const uint8_t *machine = larch_posix_machine_hash(LARCH_POSIX_MACHINE_ID, hash) ? hash : NULL;
    const uint64_t now_ms = larch_posix_unix_ns() / 1000000;
    larch_state_head found;
    memcpy(faulty, LARCH_STATE_HEAD_NAME, sizeof LARCH_STATE_HEAD_NAME);
    larch_error e = larch_state_head_load(c->interface, &found, fault);
    if (*fault == LARCH_STORE_MISSING) /* only such a folder can be of format 1 */
        e = larch_format_1_move(c->interface, c->names.name, c->names.count, &c->state->moved, faulty, fault);
    else if (e == LARCH_OK)
        e = judge(c, &found, machine, faulty, fault);
    if (e == LARCH_OK)
        e = larch_state_start(c->interface, now_ms, machine, &found, faulty, fault);
    if (e != LARCH_OK)
        return e;
    c->state->start = c->interface->start;
    c->state->complete = found.complete;
    c->state->is_clock_behind = now_ms < found.newest_ms;
    c->state->unix_ms = c->state->is_clock_behind ? 0 : now_ms;
    return note_birth(c, faulty, fault); /* already here: a start may end without the second step */
}

/* Of a recovered folder that never had an identity, and gets one at its next start. */
static bool is_before_first_start(const start_context *c)
{
    larch_state_head head;
    larch_store_fault fault;
    return !holds_identity(c) && larch_state_head_load(c->interface, &head, &fault) == LARCH_OK &&
           head.complete == LARCH_STATE_RECOVERING;
}

static larch_error save_first_head(start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    larch_state_head head;
    larch_error e = larch_state_head_load(c->interface, &head, fault);
    head.complete = 0;
    if (e == LARCH_OK && larch_state_head_save(c->interface, &head) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    return fail(*fault, LARCH_STATE_HEAD_NAME, faulty);
}

static larch_error complete(start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    /* It is about to be untrue, and a power cut in between must not make this folder a copy. */
    if (c->interface->remove(c->interface->context, LARCH_POSIX_BIRTH_NAME) != LARCH_OK) {
        *fault = LARCH_STORE_MEDIUM;
        return fail(*fault, LARCH_POSIX_BIRTH_NAME, faulty);
    }
    const larch_error e = is_before_first_start(c)
                              ? save_first_head(c, faulty, fault)
                              : larch_stamp_complete(c->interface, c->names.name, c->names.count, faulty, fault);
    return e == LARCH_OK ? note_birth(c, faulty, fault) : e;
}

/* No gateway starts without the identity that its folder had, so an operator puts that back before anything is removed.
 * A folder of an older larch has had none, nor one whose first start was cut. */
static larch_store_fault look_at_identity(const start_context *c)
{
    larch_storage any = *c->interface;
    larch_stored_identity identity;
    larch_state_head head;
    larch_store_fault fault = LARCH_STORE_NONE;
    any.start = UINT32_MAX; /* it may be of any start */
    if (holds_identity(c)) {
        (void)!larch_stored_identity_load(&any, &identity, &fault);
        larch_wipe(&identity, sizeof identity);
        return fault;
    }
    const bool is_sound = larch_state_head_load(c->interface, &head, &fault) == LARCH_OK;
    return is_sound && head.complete != LARCH_STATE_RECOVERING && lacks_identity(c, &head) ? LARCH_STORE_MISSING
                                                                                           : LARCH_STORE_NONE;
}

static larch_error recover(start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    if ((*fault = look_at_identity(c)) != LARCH_STORE_NONE)
        return fail(*fault, LARCH_STORED_IDENTITY_NAME, faulty);
    uint8_t hash[LARCH_STATE_MACHINE_LEN];
    const bool has_machine = larch_posix_machine_hash(LARCH_POSIX_MACHINE_ID, hash);
    return larch_stamp_recover(c->interface, c->names.name, c->names.count, larch_posix_unix_ns() / 1000000,
                               has_machine ? hash : NULL, faulty, fault);
}

/* What a step writes is durable, whatever the program asks for otherwise. */
static larch_error take_step(larch_error (*step)(start_context *c, char *faulty, larch_store_fault *fault),
                             start_context *c, char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    const larch_posix_durability durability = c->files->durability;
    faulty[0] = '\0';
    *fault = LARCH_STORE_MEDIUM;
    larch_error e = larch_posix_storage_list(c->files, &c->names);
    if (e != LARCH_OK)
        return e;
    c->files->durability = LARCH_POSIX_DURABILITY_MEDIUM;
    e = step(c, faulty, fault);
    c->files->durability = durability;
    larch_posix_names_free(&c->names);
    return e;
}

larch_error larch_posix_state_start(larch_posix_storage *files, larch_storage *interface, larch_posix_state *state,
                                    char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    start_context c = {.files = files, .interface = interface, .state = state};
    *state = (larch_posix_state){0};
    return take_step(start, &c, faulty, fault);
}

larch_error larch_posix_state_complete(larch_posix_storage *files, larch_storage *interface,
                                       char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    start_context c = {.files = files, .interface = interface};
    return take_step(complete, &c, faulty, fault);
}

larch_error larch_posix_state_recover(larch_posix_storage *files, larch_storage *interface,
                                      char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    start_context c = {.files = files, .interface = interface};
    return take_step(recover, &c, faulty, fault);
}

larch_error larch_posix_state_forget_copies(larch_posix_storage *files, const larch_storage *interface)
{
    larch_posix_names names;
    larch_error e = larch_posix_storage_list(files, &names);
    if (e != LARCH_OK)
        return e;
    e = larch_format_1_forget(interface, names.name, names.count);
    larch_posix_names_free(&names);
    return e;
}

/* ---- what to do -------------------------------------------------------- */

#define RECOVER "'larch keys recover' replaces every direct key"

/* The bytes themselves are gone. */
static bool is_useless(larch_store_fault fault)
{
    return fault == LARCH_STORE_MISSING || fault == LARCH_STORE_DAMAGED || fault == LARCH_STORE_TRUNCATED ||
           fault == LARCH_STORE_FOREIGN || fault == LARCH_STORE_KIND;
}

const char *larch_posix_state_advice(larch_store_fault fault, const char *faulty)
{
    if (strcmp(faulty, LARCH_STORED_IDENTITY_NAME) == 0 && is_useless(fault))
        return "Put it back from a backup and run 'larch keys recover'; without it, begin with an empty folder, whose "
               "new identity every sender has to pin";
    switch (fault) {
    case LARCH_STORE_LAGS:
    case LARCH_STORE_AHEAD:
        return "A part of the folder was put back from a backup, so messages that were accepted since could be "
               "accepted "
               "again. " RECOVER;
    case LARCH_STORE_COPY:
        return "The folder comes from another machine or from a backup: each gateway on a copy accepts a message, and "
               "an "
               "old copy accepts again what was accepted since. " RECOVER " and takes this folder over";
    case LARCH_STORE_VERSION:
        return "Use the version of larch that wrote it, or a later one";
    default:
        return RECOVER ". A backup would not help: it would accept again what was accepted since";
    }
}
