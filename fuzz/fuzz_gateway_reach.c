/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with tiny limits, asked by eight hosts that return genuine, stale, foreign and forged Echo values. Each
 * step is
 *
 *     kind (1)   who (1)   how (1)   where (1)
 *
 * kind 0 asks for the key, 1 posts a sealed message of ours, 2 asks for an endorsement, 3 lets time pass, 4 rotates,
 * 5 asks for the list. how picks the Echo and what is altered. Beside the gateway runs an account of grants: hosts that
 * never proved that they can be reached get no more than the limits together; a genuine Echo in time is never answered
 * with another one; a challenge is small; an endorsement is always of the present key; no text is accepted twice; and
 * what answers to hosts that never proved anything exceed three times their requests by stays within the limits, too.
 */
#include "blocks.h"
#include "gateway_bench.h"

enum { HOSTS = 8, SEALED = 4, STEPS = 96, REACH = 16, ROTATIONS = 2, CHALLENGE_MAX = 48 };
enum { PREFIX_RATE = 1, PREFIX_BURST = 2, TOTAL_RATE = 2, TOTAL_BURST = 4, PROVEN_RATE = 1, PROVEN_BURST = 3 };
enum { PROVEN_MS = 60000, ECHO_MS = 5000, SECOND_MS = 1000 };
enum { EXCESS_RATE = 300, EXCESS_BURST = 900, EXCESS_TOTAL_RATE = 500, EXCESS_TOTAL_BURST = 1700 };

typedef enum echo_age { NO_ECHO, STALE, DOUBTFUL, GENUINE } echo_age; /* an Echo's time has the grain of a second */

typedef struct host {
    larch_peer peer;
    bool may_be_proven; /* it returned a genuine Echo, or one of its messages was accepted */
    bool has_echo;
    uint64_t given_ms;
    uint8_t echo[LARCH_ECHO_LEN];
    uint64_t millitokens; /* of its network: the most that there can be; of the first host of two */
    uint64_t millibytes;
} host;

typedef struct play {
    host hosts[HOSTS];
    uint64_t millitokens; /* of all networks together */
    uint64_t millibytes;
    uint16_t message_id;
    unsigned rotations;
    unsigned accepted[SEALED];
} play;

static bench b;
static bench_sealed sealed[SEALED];
static uint8_t keys[ROTATIONS + 1][LARCH_KEM_EK_MAX]; /* those that were served */
static play p;

/* ---- grants ------------------------------------------------------------------ */

static uint64_t refilled(uint64_t millitokens, uint64_t ms, uint32_t rate, uint32_t burst)
{
    const uint64_t most = (uint64_t)burst * 1000, sum = millitokens + ms * rate;
    return sum < most ? sum : most;
}

static void pass(uint64_t ms)
{
    b.now_ms += ms;
    p.millitokens = refilled(p.millitokens, ms, TOTAL_RATE, TOTAL_BURST);
    p.millibytes = refilled(p.millibytes, ms, EXCESS_TOTAL_RATE, EXCESS_TOTAL_BURST);
    for (unsigned i = 0; i < HOSTS; i += 2) {
        p.hosts[i].millitokens = refilled(p.hosts[i].millitokens, ms, PREFIX_RATE, PREFIX_BURST);
        p.hosts[i].millibytes = refilled(p.hosts[i].millibytes, ms, EXCESS_RATE, EXCESS_BURST);
    }
}

/* A grant to a host that has proven nothing comes out of both accounts. */
static void note_grant(unsigned who)
{
    host *network = &p.hosts[who & ~1u];
    if (p.hosts[who].may_be_proven)
        return;
    require(p.millitokens >= 1000 && network->millitokens >= 1000);
    p.millitokens -= 1000;
    network->millitokens -= 1000;
}

/* So do the bytes by which an answer exceeds three times its request. */
static void note_bytes(unsigned who, size_t asked, size_t answered)
{
    host *network = &p.hosts[who & ~1u];
    if (p.hosts[who].may_be_proven || answered <= 3 * asked)
        return;
    const uint64_t excess = 1000 * (uint64_t)(answered - 3 * asked);
    require(p.millibytes >= excess && network->millibytes >= excess);
    p.millibytes -= excess;
    network->millibytes -= excess;
}

/* ---- Echo -------------------------------------------------------------------- */

/* Puts an Echo into the request, as bits 0 to 2 of how say. Returns how genuine it is. */
static echo_age choose_echo(bench_ask *ask, uint8_t how, unsigned who, uint8_t where, uint8_t out[LARCH_ECHO_LEN + 4])
{
    const host *own = &p.hosts[who], *other = &p.hosts[where % HOSTS];
    const host *from = (how & 7) == 2 ? other : own;
    size_t len = LARCH_ECHO_LEN;
    if ((how & 7) == 0 || !from->has_echo)
        return NO_ECHO;
    memcpy(out, from->echo, LARCH_ECHO_LEN);
    memset(out + LARCH_ECHO_LEN, 0, 4);
    if ((how & 7) == 3)
        out[where % LARCH_ECHO_LEN] ^= (uint8_t)(1u << (where & 7));
    if ((how & 7) == 4)
        len = where % (LARCH_ECHO_LEN + 4) + 1u;
    ask->echo = (larch_bytes){out, len};
    if (memcmp(out, own->echo, LARCH_ECHO_LEN) != 0 || len != LARCH_ECHO_LEN || !own->has_echo)
        return STALE;
    const uint64_t age_ms = b.now_ms - own->given_ms;
    return age_ms + SECOND_MS <= ECHO_MS ? GENUINE : age_ms > ECHO_MS + SECOND_MS ? STALE : DOUBTFUL;
}

/* Remembers the Echo of a challenge; false: the answer is none. */
static bool note_challenge(unsigned who, const bench_answer *answer)
{
    larch_bytes echo;
    if (!answer->any || !larch_coap_option_find(&answer->message, LARCH_COAP_OPT_ECHO, &echo))
        return false;
    require(answer->message.code == LARCH_COAP_UNAUTHORIZED && echo.len == LARCH_ECHO_LEN);
    require(answer->len <= CHALLENGE_MAX && answer->message.payload.len == 0);
    host *h = &p.hosts[who];
    h->has_echo = true;
    h->given_ms = b.now_ms;
    memcpy(h->echo, echo.data, echo.len);
    for (unsigned i = 0; i < HOSTS; i++) /* it names its host */
        require(i == who || !p.hosts[i].has_echo || memcmp(p.hosts[i].echo, h->echo, LARCH_ECHO_LEN) != 0);
    return true;
}

/* Sends it and looks at what it cost. */
static void ask_as(unsigned who, bench_ask *ask, uint8_t how, uint8_t where, bench_answer *answer)
{
    static uint8_t echo[LARCH_ECHO_LEN + 4];
    const echo_age age = choose_echo(ask, how, who, where, echo);
    const uint64_t limited = b.told[LARCH_EVENT_RATE];
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
    ask->type = (how & 8) != 0 ? LARCH_COAP_NON : LARCH_COAP_CON;
    ask->message_id = p.message_id++;
    ask->token = LARCH_TEXT("tk");
    p.hosts[who].may_be_proven |= age >= DOUBTFUL;
    bench_say(&b, &p.hosts[who].peer, false, ask, answer);
    note_bytes(who, bench_compose(ask, datagram).len, answer->len);
    if (note_challenge(who, answer))
        require(age != GENUINE);
    else if (b.told[LARCH_EVENT_RATE] == limited)
        note_grant(who);
    else
        require(p.hosts[who].may_be_proven && answer->message.code == LARCH_COAP_SERVICE_UNAVAILABLE);
}

/* ---- what is asked -------------------------------------------------------------- */

static larch_bytes present_key(const uint8_t **hash)
{
    return larch_gateway_key_of(&b.gw, larch_kem_at(0), NULL, hash);
}

static void ask_key(unsigned who, uint8_t how, uint8_t where)
{
    bench_ask ask = {.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_KEY};
    bench_answer answer;
    ask_as(who, &ask, how, where, &answer);
    if (answer.any && answer.message.code == LARCH_COAP_CONTENT)
        require(larch_bytes_equal(answer.message.payload, present_key(NULL)));
}

static void post(unsigned who, uint8_t how, uint8_t where)
{
    const unsigned which = where % SEALED;
    bench_sealed s = sealed[which];
    bench_answer answer;
    const unsigned before = b.told[LARCH_EVENT_ACCEPTED];
    if ((how & 0x10) != 0)
        s.bytes[where * 3u % s.len] ^= 1;
    bench_ask ask = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_DATA, .payload = {s.bytes, s.len}};
    ask_as(who, &ask, how, where, &answer);
    if (b.told[LARCH_EVENT_ACCEPTED] == before)
        return;
    require((how & 0x10) == 0 && ++p.accepted[which] == 1 && b.text[0] == which);
    require(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    p.hosts[who].may_be_proven = true;
}

/* Asks the holder of a key that was served, or of one that never was, which is the present one. */
static void ask_next(unsigned who, uint8_t how, uint8_t where)
{
    static uint8_t stranger[LARCH_KEM_EK_MAX];
    const larch_kem *kem = larch_kem_at(0);
    const unsigned which = where % (ROTATIONS + 2);
    uint8_t question[LARCH_COAP_BODY_MAX], ss[LARCH_KEM_SS_LEN], hash[32], old_hash[32];
    const uint8_t *present;
    size_t len;
    memcpy(stranger, keys[0], kem->ek_len);
    stranger[kem->ek_len - 1] ^= 1; /* of its seed rho: a key as good as any */
    const larch_bytes ek = {which <= p.rotations ? keys[which] : stranger, kem->ek_len};
    require(larch_direct_next_ask(kem, &b.random, ek, question, sizeof question, &len, ss) == LARCH_OK);
    require(larch_direct_key_hash(ek, old_hash) == LARCH_OK);
    if ((how & 0x10) != 0)
        question[where * 7u % len] ^= 1;
    len -= (how & 0x20) != 0;
    bench_ask ask = {.code = LARCH_COAP_POST, .path = LARCH_DIRECT_PATH_NEXT, .payload = {question, len}};
    bench_answer answer;
    ask_as(who, &ask, how, where, &answer);
    if (!answer.any || answer.message.code != LARCH_COAP_CHANGED)
        return;
    (void)present_key(&present);
    if (larch_direct_next_check(ss, old_hash, answer.message.payload, hash) == LARCH_OK)
        require((how & 0x30) == 0 && which <= p.rotations && memcmp(hash, present, sizeof hash) == 0);
    else
        require((how & 0x30) != 0);
}

static void ask_list(unsigned who)
{
    bench_answer answer;
    bench_say(&b, &p.hosts[who].peer, false,
              &(bench_ask){.code = LARCH_COAP_GET, .message_id = p.message_id++, .path = ".well-known/core"}, &answer);
    if (!note_challenge(who, &answer))
        require(answer.any && answer.message.code == LARCH_COAP_CONTENT);
}

static void rotate(void)
{
    if (p.rotations == ROTATIONS)
        return;
    require(larch_gateway_rotate(&b.gw, b.now_ms, larch_kem_at(0)) == LARCH_OK);
    memcpy(keys[++p.rotations], present_key(NULL).data, larch_kem_at(0)->ek_len);
}

static void step(larch_reader *script)
{
    const uint8_t kind = take(script), who = take(script) % HOSTS, how = take(script), where = take(script);
    switch (kind % 6) {
    case 0:
        ask_key(who, how, where);
        break;
    case 1:
        post(who, how, where);
        break;
    case 2:
        ask_next(who, how, where);
        break;
    case 3:
        pass((uint64_t)how * where);
        break;
    case 4:
        rotate();
        break;
    default:
        ask_list(who);
        break;
    }
}

/* ---- the whole of it ------------------------------------------------------------- */

/* A gateway just started. Making its keys costs more than most scripts, so it is done once, and copied. */
static void begin(void)
{
    static bench first;
    static bool made;
    if (!made) {
        require(larch_crypto_init() == LARCH_OK);
        bench_prepare(&b, 1, 16);
        b.config.server.reach_count = REACH;
        b.config.server.limits = (larch_reach_limits){.prefix_rate = PREFIX_RATE,
                                                      .prefix_burst = PREFIX_BURST,
                                                      .total_rate = TOTAL_RATE,
                                                      .total_burst = TOTAL_BURST,
                                                      .proven_rate = PROVEN_RATE,
                                                      .proven_burst = PROVEN_BURST,
                                                      .proven_ms = PROVEN_MS,
                                                      .echo_ms = ECHO_MS,
                                                      .noted_ms = PROVEN_MS,
                                                      .excess_prefix_rate = EXCESS_RATE,
                                                      .excess_prefix_burst = EXCESS_BURST,
                                                      .excess_total_rate = EXCESS_TOTAL_RATE,
                                                      .excess_total_burst = EXCESS_TOTAL_BURST};
        require(bench_start(&b) == LARCH_OK);
        for (unsigned i = 0; i < SEALED; i++)
            bench_seal(&b, larch_kem_at(0), (larch_bytes){&(uint8_t){(uint8_t)i}, 1}, &sealed[i]);
        first = b;
        made = true;
    }
    b = first;
    memset(b.flash.files, 0, sizeof b.flash.files);
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (first.flash.files[i].now != NULL)
            larch_flash_put(&b.flash, first.flash.files[i].name,
                            (larch_bytes){first.flash.files[i].now, first.flash.files[i].size});
    p = (play){.millitokens = TOTAL_BURST * 1000, .millibytes = EXCESS_TOTAL_BURST * 1000};
    memcpy(keys[0], present_key(NULL).data, larch_kem_at(0)->ek_len);
    for (unsigned i = 0; i < HOSTS; i++) {
        p.hosts[i].peer = larch_sim_ipv4(0x0a000001u + (i >> 1 << 8) + (i & 1), 40000);
        p.hosts[i].millitokens = PREFIX_BURST * 1000;
        p.hosts[i].millibytes = EXCESS_BURST * 1000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader script = larch_reader_of((larch_bytes){data, size});
    begin();
    for (unsigned i = 0; i < STEPS && script.left.len > 0; i++)
        step(&script);
    bench_end(&b);
    return 0;
}
