/* SPDX-License-Identifier: Apache-2.0 */
/* larch keys: what a gateway's state holds, and its rotation. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "larch/crypto.h"
#include "larch/gateway.h"
#include "options.h"
#include "storage.h"
#include "system.h"

#define NAME "keys"

#define ONLINE_WAIT_MS 2000
#define SLOTS_MIN      16

static const char help[] =
    "Usage: larch keys show|rotate|fingerprint [OPTION]...\n"
    "Looks at a gateway's keys, or replaces them. The gateway may be running.\n"
    "\n"
    "  show          each set's generation, fingerprint, replay marks and old key\n"
    "  fingerprint   the pin that senders give to 'larch send --pin'\n"
    "  rotate        make new keys for all sets; each old one still opens messages, and vouches\n"
    "                for the new one, until its grace is over. A running gateway does it itself.\n"
    "\n"
    "Options:\n"
    "  --state DIR   default $STATE_DIRECTORY, else ${XDG_STATE_HOME:-~/.local/state}/larch\n"
    "  --kem SET     one set alone: 512, 768 or 1024; fingerprint without it: 512\n"
    "  --json        one JSON object a set\n"
    "  --help        print this help\n";

typedef struct keys_options {
    char state[LARCH_POSIX_PATH_MAX];
    const larch_kem *kem; /* NULL: not given */
    bool json;
} keys_options;

/* One key of a set, without its secrets. */
typedef struct key_view {
    uint32_t generation; /* 0: there is none */
    uint32_t marks;
    uint32_t capacity;
    uint32_t slots; /* that its marks need in memory */
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
} key_view;

typedef struct set_view {
    key_view present;
    key_view previous;
} set_view;

/* ---- looking ------------------------------------------------------------- */

static int fingerprint_of(const larch_kem *kem, const larch_stored_key *key, key_view *view)
{
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t dk[LARCH_KEM_DK_MAX];
    uint8_t hash[LARCH_SHA256_LEN];
    larch_error e = larch_kem_keygen(kem, key->seed, ek, dk);
    larch_wipe(dk, sizeof dk);
    if (e != LARCH_OK || (e = larch_direct_key_hash((larch_bytes){ek, kem->ek_len}, hash)) != LARCH_OK)
        return larch_app_fail(NAME, "%s: %s", kem->name, larch_error_text(e));
    larch_fingerprint_format(hash, view->fingerprint);
    view->generation = key->generation;
    return LARCH_EXIT_DONE;
}

static int complain_of_file(const larch_posix_storage *files, const char *name, larch_store_fault fault)
{
    if (fault == LARCH_STORE_MEDIUM)
        return larch_app_fail(NAME, "%s", larch_posix_storage_error(files));
    return larch_app_fail(NAME, "%s/%s %s", files->path, name, larch_store_fault_text(fault));
}

static int view_marks(const larch_posix_storage *files, const larch_storage *storage, uint16_t set, key_view *view)
{
    larch_replay_set marks;
    larch_store_fault fault;
    uint32_t slots_needed;
    char name[LARCH_STORAGE_NAME_MAX + 1];
    uint64_t least[SLOTS_MIN];
    uint64_t *slots = NULL;

    larch_replay_set_name(set, view->generation, name);
    view->slots = SLOTS_MIN;
    larch_error e =
        larch_replay_set_open(&marks, storage, set, view->generation, least, SLOTS_MIN, &slots_needed, &fault);
    if (e == LARCH_SPACE && slots_needed > 0) {
        slots = calloc(slots_needed, sizeof *slots);
        if (slots == NULL)
            return larch_app_fail(NAME, "out of memory");
        view->slots = slots_needed;
        e = larch_replay_set_open(&marks, storage, set, view->generation, slots, view->slots, &slots_needed, &fault);
    }
    view->marks = marks.used;
    view->capacity = marks.capacity;
    free(slots);
    return e == LARCH_OK ? LARCH_EXIT_DONE : complain_of_file(files, name, fault);
}

static int view_set(const larch_posix_storage *files, const larch_storage *storage, const larch_kem *kem,
                    bool with_marks, set_view *view)
{
    larch_key_ring ring;
    larch_store_fault fault;
    char name[LARCH_STORAGE_NAME_MAX + 1];
    int code;

    if (larch_key_ring_load(storage, kem->set, &ring, &fault) != LARCH_OK) {
        larch_key_ring_name(kem->set, name);
        if (fault == LARCH_STORE_MISSING)
            return larch_app_fail(NAME,
                                  "%s holds no %s key; a gateway makes it on its first start: larch gateway "
                                  "--state DIR",
                                  files->path, kem->name);
        return complain_of_file(files, name, fault);
    }
    code = fingerprint_of(kem, &ring.present, &view->present);
    if (code == LARCH_EXIT_DONE && ring.previous.generation != 0)
        code = fingerprint_of(kem, &ring.previous, &view->previous);
    larch_wipe(&ring, sizeof ring);
    if (code == LARCH_EXIT_DONE && with_marks)
        code = view_marks(files, storage, kem->set, &view->present);
    if (code == LARCH_EXIT_DONE && with_marks && view->previous.generation != 0)
        code = view_marks(files, storage, kem->set, &view->previous);
    return code;
}

/* All sets, or the one of --kem; the others stay zeroed. */
static int view_state(const keys_options *options, bool with_marks, set_view views[LARCH_GATEWAY_SETS])
{
    larch_posix_storage files;
    int code = LARCH_EXIT_DONE;
    memset(views, 0, LARCH_GATEWAY_SETS * sizeof *views);
    if (larch_posix_storage_view(&files, options->state) != LARCH_OK)
        return larch_app_fail(NAME, "%s; is there a gateway's state? --state DIR names another folder",
                              larch_posix_storage_error(&files));
    larch_storage storage = larch_posix_storage_interface(&files);
    for (size_t i = 0; code == LARCH_EXIT_DONE && i < LARCH_GATEWAY_SETS; i++)
        if (options->kem == NULL || options->kem == larch_kem_at(i))
            code = view_set(&files, &storage, larch_kem_at(i), with_marks, &views[i]);
    larch_posix_storage_close(&files);
    return code;
}

/* ---- show, fingerprint ----------------------------------------------------- */

static void show_json(const larch_kem *kem, const set_view *view)
{
    printf("{\"kem\":\"%s\",\"generation\":%lu,\"fingerprint\":\"%s\",\"marks\":%lu,\"capacity\":%lu,\"old\":",
           kem->name, (unsigned long)view->present.generation, view->present.fingerprint,
           (unsigned long)view->present.marks, (unsigned long)view->present.capacity);
    if (view->previous.generation == 0)
        printf("null}\n");
    else
        printf("{\"generation\":%lu,\"fingerprint\":\"%s\",\"marks\":%lu,\"capacity\":%lu}}\n",
               (unsigned long)view->previous.generation, view->previous.fingerprint,
               (unsigned long)view->previous.marks, (unsigned long)view->previous.capacity);
}

static void show_plain(const larch_kem *kem, const set_view *view)
{
    printf("%-11s  generation %lu  %s  %lu of %lu marks\n", kem->name, (unsigned long)view->present.generation,
           view->present.fingerprint, (unsigned long)view->present.marks, (unsigned long)view->present.capacity);
    if (view->previous.generation != 0)
        printf("%-11s  generation %lu  %s  %lu of %lu marks  (old: still opens messages)\n", "",
               (unsigned long)view->previous.generation, view->previous.fingerprint,
               (unsigned long)view->previous.marks, (unsigned long)view->previous.capacity);
}

static int end_output(void)
{
    return fflush(stdout) == 0 ? LARCH_EXIT_DONE : larch_app_fail(NAME, "stdout: %s", strerror(errno));
}

static int show(keys_options *options)
{
    set_view views[LARCH_GATEWAY_SETS];
    int code = view_state(options, true, views);
    if (code != LARCH_EXIT_DONE)
        return code;
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        if (views[i].present.generation != 0)
            (options->json ? show_json : show_plain)(larch_kem_at(i), &views[i]);
    return end_output();
}

static int fingerprint(keys_options *options)
{
    set_view views[LARCH_GATEWAY_SETS];
    if (options->kem == NULL)
        options->kem = larch_kem_at(0);
    int code = view_state(options, false, views);
    if (code != LARCH_EXIT_DONE)
        return code;
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        if (views[i].present.generation == 0)
            continue;
        if (options->json)
            printf("{\"kem\":\"%s\",\"fingerprint\":\"%s\"}\n", larch_kem_at(i)->name, views[i].present.fingerprint);
        else
            printf("%s\n", views[i].present.fingerprint);
    }
    return end_output();
}

/* ---- rotate ---------------------------------------------------------------- */

/* The marks of new keys take the room that those of the present ones have. */
static uint32_t slots_of(const set_view views[LARCH_GATEWAY_SETS])
{
    uint32_t slots = SLOTS_MIN;
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        if (views[i].present.slots > slots)
            slots = views[i].present.slots;
        if (views[i].previous.slots > slots)
            slots = views[i].previous.slots;
    }
    return slots;
}

static int rotate_with(const larch_posix_storage *files, const larch_gateway_config *config)
{
    static larch_gateway gw; /* too large for a stack */
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    uint64_t now_ms = larch_posix_now_ms();
    larch_error e = larch_gateway_init(&gw, now_ms, config, file, &fault);
    if (e != LARCH_OK && file[0] != '\0')
        return complain_of_file(files, file, fault);
    for (size_t i = 0; e == LARCH_OK && i < LARCH_GATEWAY_SETS; i++)
        e = larch_gateway_rotate(&gw, now_ms, larch_kem_at(i));
    larch_gateway_wipe(&gw);
    return e == LARCH_OK ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", larch_posix_storage_error(files));
}

static int rotate_offline(const keys_options *options, larch_posix_storage *files, set_view views[LARCH_GATEWAY_SETS])
{
    static larch_coap_exchange exchange;
    static larch_gateway_slot slot;
    static larch_reach_entry reach[16];
    const larch_storage storage = larch_posix_storage_interface(files);
    const larch_random random = larch_posix_random();
    larch_gateway_config config = {.storage = &storage,
                                   .random = &random,
                                   .exchanges = &exchange,
                                   .exchange_count = 1,
                                   .slots = &slot,
                                   .slot_count = 1,
                                   .reach = reach,
                                   .reach_count = sizeof reach / sizeof reach[0],
                                   .replay_slots = slots_of(views),
                                   .limits = larch_reach_default_limits()};
    uint64_t *marks = calloc(2 * LARCH_GATEWAY_SETS * (size_t)config.replay_slots, sizeof *marks);
    if (marks == NULL)
        return larch_app_fail(NAME, "out of memory");
    for (size_t i = 0; i < 2 * LARCH_GATEWAY_SETS; i++)
        config.replay[i / 2][i % 2] = marks + i * config.replay_slots;
    int code = rotate_with(files, &config);
    free(marks);
    return code == LARCH_EXIT_DONE ? view_state(options, false, views) : code;
}

/* A process id read from a file may be outdated; a signal must not hit a stranger. */
static bool is_larch(long pid)
{
    char path[40];
    char name[16] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    bool same = fgets(name, sizeof name, f) != NULL && strcmp(name, "larch\n") == 0;
    fclose(f);
    return same;
}

static bool all_rotated(const set_view before[LARCH_GATEWAY_SETS], const set_view after[LARCH_GATEWAY_SETS])
{
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++)
        if (after[i].present.generation <= before[i].present.generation)
            return false;
    return true;
}

static int rotate_online(const keys_options *options, long pid, set_view views[LARCH_GATEWAY_SETS])
{
    set_view before[LARCH_GATEWAY_SETS];
    memcpy(before, views, sizeof before);
    if (!is_larch(pid))
        return larch_app_fail(NAME, "%s is held by process %ld, which is no gateway that can be asked; try again",
                              options->state, pid);
    if (kill((pid_t)pid, SIGUSR1) != 0)
        return larch_app_fail(NAME, "cannot ask the gateway (process %ld): %s", pid, strerror(errno));
    uint64_t until_ms = larch_posix_now_ms() + ONLINE_WAIT_MS;
    do {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        int code = view_state(options, false, views);
        if (code != LARCH_EXIT_DONE)
            return code;
        if (all_rotated(before, views))
            return LARCH_EXIT_DONE;
    } while (larch_posix_now_ms() < until_ms);
    return larch_app_fail(NAME, "the gateway (process %ld) did not rotate within %d s; its stderr says why", pid,
                          ONLINE_WAIT_MS / 1000);
}

static int rotate(keys_options *options)
{
    set_view views[LARCH_GATEWAY_SETS];
    larch_posix_storage files;
    sigset_t signals;
    int code;

    if (options->kem != NULL)
        return larch_app_usage(NAME, "rotate takes no --kem: all sets get new keys");
    sigemptyset(&signals); /* who finds the lock held by us may send it */
    sigaddset(&signals, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    if ((code = view_state(options, true, views)) != LARCH_EXIT_DONE)
        return code; /* without keys there is nothing to rotate, and none are made */
    larch_error e = larch_posix_storage_open(&files, options->state, LARCH_POSIX_DURABILITY_MEDIUM);
    long holder = larch_posix_storage_holder(&files);
    if (e == LARCH_OK) {
        code = rotate_offline(options, &files, views);
        larch_posix_storage_close(&files);
    } else if (holder != 0) {
        code = rotate_online(options, holder, views);
    } else {
        code = larch_app_fail(NAME, "%s", larch_posix_storage_error(&files));
    }
    if (code != LARCH_EXIT_DONE)
        return code;
    fprintf(stderr, "larch keys: rotated %s\n", holder != 0 ? "by the running gateway" : "while no gateway runs");
    for (size_t i = 0; i < LARCH_GATEWAY_SETS; i++) {
        if (options->json)
            printf("{\"kem\":\"%s\",\"generation\":%lu,\"fingerprint\":\"%s\"}\n", larch_kem_at(i)->name,
                   (unsigned long)views[i].present.generation, views[i].present.fingerprint);
        else
            printf("%-11s  generation %lu  %s\n", larch_kem_at(i)->name, (unsigned long)views[i].present.generation,
                   views[i].present.fingerprint);
    }
    return end_output();
}

/* ---- command line ------------------------------------------------------------ */

int larch_keys_main(int argc, char **argv)
{
    enum { OPTION_STATE = 1, OPTION_KEM, OPTION_JSON, OPTION_HELP };
    static const struct option long_options[] = {{"state", required_argument, NULL, OPTION_STATE},
                                                 {"kem", required_argument, NULL, OPTION_KEM},
                                                 {"json", no_argument, NULL, OPTION_JSON},
                                                 {"help", no_argument, NULL, OPTION_HELP},
                                                 {NULL, 0, NULL, 0}};
    static const struct {
        const char *name;
        int (*run)(keys_options *options);
    } actions[] = {{"show", show}, {"rotate", rotate}, {"fingerprint", fingerprint}};
    keys_options options = {.json = false};
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_STATE:
            if (!larch_app_copy(optarg, options.state, sizeof options.state))
                return larch_app_usage(NAME, "--state takes a folder");
            break;
        case OPTION_KEM:
            if (!larch_app_kem(optarg, &options.kem))
                return larch_app_usage(NAME, "--kem takes 512, 768 or 1024, not '%s'", optarg);
            break;
        case OPTION_JSON:
            options.json = true;
            break;
        case OPTION_HELP:
            return larch_app_help(help);
        default:
            return larch_app_hint(NAME);
        }
    }
    if (argc - optind != 1)
        return larch_app_usage(NAME, "say what to do: show, rotate or fingerprint");
    if (options.state[0] == '\0' && larch_posix_state_path(options.state, sizeof options.state) != LARCH_OK)
        return larch_app_fail(NAME, "no folder for the state: set HOME, or give one with --state DIR");
    if (larch_app_start_crypto(NAME) != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(argv[optind], actions[i].name) == 0)
            return actions[i].run(&options);
    return larch_app_usage(NAME, "there is no '%s': show, rotate or fingerprint", argv[optind]);
}
