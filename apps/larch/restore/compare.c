/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/unpacked.h"
#include "registry/reseal.h"
#include "registry/sessions.h"
#include "restore/restore_int.h"
#include "text/json.h"
#include "text/text.h"

typedef struct comparison {
    const restoring *r;
    larch_device_list *old, *new; /* old: NULL: there is nothing to compare with */
    bool is_same_gateway;
    size_t kept, removed;
    larch_registry_reason why;
} comparison;

/* Both are of one gateway if one store key sealed them, or a device is in both: its number is random. */
static larch_error find_kinship(comparison *c, const char *old_path)
{
    uint8_t check[LARCH_RESEAL_CHECK_LEN], own[LARCH_RESEAL_CHECK_LEN];
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint64_t at = 0;
    larch_error e;
    if (larch_sessions_sealed_by(old_path, check, &c->why) == LARCH_OK &&
        larch_store_check(&c->r->key, own) == LARCH_OK)
        c->is_same_gateway = memcmp(check, own, sizeof own) == 0;
    if ((e = larch_device_list_open(&c->old, old_path, &c->why)) != LARCH_OK)
        return e;
    while (!c->is_same_gateway && (e = larch_device_list_next(c->new, &at, name, &c->why)) == LARCH_OK)
        if ((e = larch_device_list_has(c->old, at, &c->is_same_gateway, &c->why)) != LARCH_OK)
            return e;
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

static void print(const comparison *c, const char *name, bool is_kept)
{
    uint8_t line[256];
    larch_writer w = larch_writer_to(line, sizeof line);
    if (!c->r->options->json) {
        printf("%s%s\n", name, is_kept ? "" : "  (removed: it was revoked after the backup was made)");
        return;
    }
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", name);
    larch_json_put_bool(&j, "restored", is_kept);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* Who is not among the gateway's devices any more was revoked or forgotten, and stays so. */
static larch_error judge(comparison *c)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint64_t at = 0;
    larch_error e;
    while ((e = larch_device_list_next(c->new, &at, name, &c->why)) == LARCH_OK) {
        bool has = true;
        if (c->is_same_gateway && (e = larch_device_list_has(c->old, at, &has, &c->why)) != LARCH_OK)
            return e;
        if (!has && (e = larch_device_list_remove(c->new, at, &c->why)) != LARCH_OK)
            return e;
        c->kept += has;
        c->removed += !has;
        print(c, name, has);
    }
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

static void say(const comparison *c, bool is_there, size_t revoked)
{
    fprintf(stderr, "larch restore: %zu devices were restored", c->kept);
    if (c->removed > 0 || revoked > 0)
        fprintf(stderr, "; %zu that were revoked after the backup stay so, and %zu credentials", c->removed, revoked);
    fprintf(stderr, "%s\n",
            c->is_same_gateway ? ""
            : is_there         ? ". The folder that was here is of another gateway: look through the list, and revoke "
                                 "whatever was revoked since the backup"
                               : ". Look through the list: what was revoked after the backup was made is in it again");
}

larch_exit restore_compare(const restoring *r)
{
    char old_path[LARCH_POSIX_PATH_MAX + 32], new_path[LARCH_POSIX_PATH_MAX + 64];
    comparison c = {.r = r};
    size_t revoked = 0;
    (void)snprintf(old_path, sizeof old_path, "%s/" LARCH_APP_SESSIONS_NAME, r->files.path);
    (void)snprintf(new_path, sizeof new_path, "%s/" LARCH_APP_UNPACKED "/" LARCH_APP_SESSIONS_NAME, r->files.path);
    const bool is_there = access(old_path, F_OK) == 0;
    larch_error e = larch_device_list_open(&c.new, new_path, &c.why);
    if (e == LARCH_OK && is_there && find_kinship(&c, old_path) != LARCH_OK) {
        fprintf(stderr, "larch restore: what was revoked since the backup is not known: %s\n", c.why.text);
        c.is_same_gateway = false;
    }
    if (e == LARCH_OK && c.is_same_gateway)
        e = larch_device_list_take_revoked(c.new, c.old, &revoked, &c.why);
    if (e == LARCH_OK)
        e = judge(&c);
    larch_device_list_close(c.old);
    larch_device_list_close(c.new);
    if (e != LARCH_OK)
        return larch_app_fail(RESTORE_NAME, "%s. Nothing was changed", c.why.text);
    say(&c, is_there, revoked);
    return larch_app_end_output(RESTORE_NAME);
}
