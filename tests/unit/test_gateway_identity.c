/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's identity: what it serves and endorses, how it survives power cuts, and what of it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"
#include "larch/sig.h"

enum { ENTRIES = LARCH_DIRECT_SETS + LARCH_MLDSA_44 + LARCH_MLDSA_87 };

static bench b;
static bench_answer answer;
static larch_peer sender;
static uint16_t message_id;

static int begin(void **state)
{
    (void)state;
    bench_begin(&b, 1, BENCH_MARKS);
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_end(&b);
    return 0;
}

static void say(bench_ask ask)
{
    ask.message_id = message_id++;
    b.now_ms += 1000; /* past every bucket */
    bench_say(&b, &sender, false, &ask, &answer);
}

static bool file_is_there(void) { return larch_flash_look(&b.flash, LARCH_STORED_IDENTITY_NAME).data != NULL; }

/* A body in as many blocks as it takes. */
static size_t fetch(const char *query, uint8_t out[2048])
{
    size_t got = 0;
    bool more = true;
    for (uint32_t num = 0; more; num++) {
        larch_bytes value;
        larch_coap_block block = {0};
        say((bench_ask){.code = LARCH_COAP_GET,
                        .path = LARCH_DIRECT_PATH_ROOT,
                        .query = query,
                        .has_block2 = num > 0,
                        .block2 = {num, false, 6}});
        assert_int_equal(answer.message.code, LARCH_COAP_CONTENT);
        assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_MAX_AGE, &value));
        assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_CONTENT_FORMAT, &value));
        assert_int_equal(larch_number_at(value.data, value.len), 42);
        if (larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK2, &value))
            assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
        more = block.more;
        memcpy(out + got, answer.message.payload.data, answer.message.payload.len);
        got += answer.message.payload.len;
    }
    return got;
}

/* ---- what is served ------------------------------------------------------- */

static void test_document(void **state)
{
    (void)state;
    uint8_t served[2048], hash[32], id[20], etag[8];
    larch_identity_document document;
    larch_identity_fault fault;
    larch_bytes own, value;
    const larch_kem *kem;
    const larch_bytes bytes = {served, fetch(NULL, served)};
    const uint8_t *identity = larch_direct_service_identity(&b.gw.direct, &own);
    assert_true(larch_bytes_equal(bytes, own));
    assert_ptr_equal(larch_direct_service_identity(&b.gw.direct, NULL), identity);
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_ETAG, &value));
    assert_int_equal(larch_sha256(&bytes, 1, hash), LARCH_OK);
    assert_true(larch_bytes_equal(value, (larch_bytes){hash, 8}));
    memcpy(etag, hash, sizeof etag);
    assert_int_equal(larch_identity_parse(bytes, &document, &fault), LARCH_OK);
    assert_int_equal(larch_identity_of(&document, id), LARCH_OK);
    assert_memory_equal(id, identity, sizeof id);
    assert_int_equal(document.founding, ENTRIES);
    assert_int_equal(document.count, ENTRIES);
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        char query[16] = "kem=";
        const larch_identity_entry *entry = larch_identity_find(&document, LARCH_IDENTITY_ROOT, kem->set, true);
        assert_non_null(entry);
        const larch_bytes root = {served, fetch(strcat(query, larch_direct_kem_name(kem)), served)};
        assert_int_equal(root.len, kem->ek_len);
        assert_int_equal(larch_direct_key_hash(root, hash), LARCH_OK);
        assert_memory_equal(hash, entry->hash, sizeof hash);
        assert_int_equal(larch_kem_check_ek(kem, root), LARCH_OK);
    }
    assert_int_equal(larch_identity_find(&document, LARCH_IDENTITY_SIGNATURE, 44, true) != NULL, LARCH_MLDSA_44);
    assert_int_equal(larch_identity_find(&document, LARCH_IDENTITY_SIGNATURE, 87, true) != NULL, LARCH_MLDSA_87);
    assert_null(larch_identity_find(&document, LARCH_IDENTITY_SIGNATURE, 65, false));

    say((bench_ask){.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_ROOT, .etag = LARCH_BYTES(etag)});
    assert_true(bench_answers(&answer, LARCH_COAP_VALID, ""));
    say((bench_ask){.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_ROOT, .query = "kem=999"});
    assert_true(bench_answers(&answer, LARCH_COAP_BAD_REQUEST, "kem: 512, 768, 1024 or xwing"));
    say((bench_ask){.code = LARCH_COAP_GET, .path = LARCH_DIRECT_PATH_ROOT, .has_accept = true, .accept = 50});
    assert_true(bench_answers(&answer, LARCH_COAP_NOT_ACCEPTABLE, ""));
    say((bench_ask){.code = LARCH_COAP_PUT, .path = LARCH_DIRECT_PATH_ROOT});
    assert_true(bench_answers(&answer, LARCH_COAP_METHOD_NOT_ALLOWED, ""));
}

/* ---- questions -------------------------------------------------------------- */

typedef larch_error (*check)(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t asked_hash[32], larch_bytes reply,
                             uint8_t said_hash[32]);

/* Posts a question, in blocks if it must; the answer is in answer. */
static void post_question(const char *path, larch_bytes question)
{
    enum { SIZE = 512 };
    for (size_t at = 0; at < question.len; at += SIZE) {
        const bool more = at + SIZE < question.len;
        say((bench_ask){.code = LARCH_COAP_POST,
                        .path = path,
                        .has_block1 = true,
                        .block1 = {(uint32_t)(at / SIZE), more, 5},
                        .payload = {question.data + at, more ? SIZE : question.len - at}});
    }
}

/* What the key says; LARCH_STATE: the gateway does not hold it. */
static larch_error ask(const char *path, check verify, const larch_kem *kem, larch_bytes key, uint8_t said[32])
{
    uint8_t question[LARCH_DIRECT_HINT_LEN + LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN], asked[32];
    size_t len;
    assert_int_equal(larch_direct_key_hash(key, asked), LARCH_OK);
    assert_int_equal(larch_direct_next_ask(kem, &b.random, key, question, sizeof question, &len, ss), LARCH_OK);
    post_question(path, (larch_bytes){question, len});
    if (bench_answers(&answer, LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY"))
        return LARCH_STATE;
    assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
    return verify(ss, asked, answer.message.payload, said);
}

static larch_error ask_next(const larch_kem *kem, larch_bytes key, uint8_t said[32])
{
    return ask(LARCH_DIRECT_PATH_NEXT, larch_direct_next_check, kem, key, said);
}

static larch_error ask_root(const larch_kem *kem, larch_bytes key, uint8_t said[32])
{
    return ask(LARCH_DIRECT_PATH_ROOT, larch_direct_root_check, kem, key, said);
}

/* Roots and direct keys, of now and before, name the document and the present key of their set. */
static void test_questions(void **state)
{
    (void)state;
    const larch_kem *kem;
    larch_bytes document;
    uint8_t document_hash[32], said[32];
    (void)larch_direct_service_identity(&b.gw.direct, &document);
    assert_int_equal(larch_sha256(&document, 1, document_hash), LARCH_OK);
    for (size_t i = 0; (kem = larch_direct_kem_at(i)) != NULL; i++) {
        uint8_t old_ek[LARCH_KEM_EK_MAX], root[2048];
        char query[16] = "kem=";
        const uint8_t *hash;
        memcpy(old_ek, larch_gateway_key_of(&b.gw, kem, NULL, NULL).data, kem->ek_len);
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        const larch_bytes ek = larch_gateway_key_of(&b.gw, kem, NULL, &hash);
        (void)fetch(strcat(query, larch_direct_kem_name(kem)), root);
        const larch_bytes asked[] = {{old_ek, kem->ek_len}, ek, {root, kem->ek_len}};
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(ask_next(kem, asked[k], said), LARCH_OK);
            assert_memory_equal(said, hash, sizeof said);
            assert_int_equal(ask_root(kem, asked[k], said), LARCH_OK);
            assert_memory_equal(said, document_hash, sizeof said);
            /* One statement is not the other. */
            assert_int_equal(ask(LARCH_DIRECT_PATH_ROOT, larch_direct_next_check, kem, asked[k], said), LARCH_AUTH);
            assert_int_equal(ask(LARCH_DIRECT_PATH_NEXT, larch_direct_root_check, kem, asked[k], said), LARCH_AUTH);
        }
        /* Forgotten keys say nothing; the root does, whatever became of the direct keys. */
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        assert_int_equal(ask_root(kem, asked[0], said), LARCH_STATE);
        assert_int_equal(ask_next(kem, asked[0], said), LARCH_STATE);
        (void)larch_gateway_key_of(&b.gw, kem, NULL, &hash);
        assert_int_equal(ask_next(kem, asked[2], said), LARCH_OK);
        assert_memory_equal(said, hash, sizeof said);
    }
}

static void test_question_refused(void **state)
{
    (void)state;
    static uint8_t body[LARCH_DIRECT_HINT_LEN + 768 + 1];
    static const char *const paths[] = {LARCH_DIRECT_PATH_NEXT, LARCH_DIRECT_PATH_ROOT};
    for (size_t p = 0; p < 2; p++) {
        for (size_t len = 0; len <= sizeof body; len += len < 760 ? 40 : 1) {
            say((bench_ask){.code = LARCH_COAP_POST, .path = paths[p], .payload = {body, len}});
            if (len == LARCH_DIRECT_HINT_LEN + 768)
                assert_true(bench_answers(&answer, LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY"));
            else
                assert_true(bench_answers(&answer, LARCH_COAP_BAD_REQUEST, "BAD_LEN"));
        }
        /* A group is not answered, and costs nothing. */
        const bench_ask group = {.type = LARCH_COAP_NON, .code = LARCH_COAP_POST, .path = paths[p]};
        bench_say(&b, &sender, true, &group, &answer);
        assert_false(answer.any);
    }
}

/* ---- starts ----------------------------------------------------------------- */

static larch_error restart(void)
{
    larch_gateway_wipe(&b.gw);
    larch_flash_power_on(&b.flash);
    b.now_ms += 1000000;
    return bench_start(&b);
}

static void test_lasts(void **state)
{
    (void)state;
    uint8_t first[20];
    memcpy(first, larch_direct_service_identity(&b.gw.direct, NULL), sizeof first);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, larch_direct_kem_at(0)), LARCH_OK);
        assert_int_equal(restart(), LARCH_OK);
        assert_memory_equal(first, larch_direct_service_identity(&b.gw.direct, NULL), sizeof first);
    }
}

/* A folder of a larch that knew no identities: its direct keys stay, and it gets one. */
static void test_older_folder(void **state)
{
    (void)state;
    uint8_t before[20], hash_before[32];
    const uint8_t *hash;
    memcpy(before, larch_direct_service_identity(&b.gw.direct, NULL), sizeof before);
    (void)larch_gateway_key_of(&b.gw, larch_direct_kem_at(0), NULL, &hash);
    memcpy(hash_before, hash, sizeof hash_before);
    larch_gateway_wipe(&b.gw);
    assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_OK);
    (void)larch_gateway_key_of(&b.gw, larch_direct_kem_at(0), NULL, &hash);
    assert_memory_equal(hash, hash_before, sizeof hash_before);
    assert_memory_not_equal(before, larch_direct_service_identity(&b.gw.direct, NULL), sizeof before);
    assert_true(file_is_there());
}

/* The power is cut at each operation of a first start, and of the first start over older keys. What was served once is
 * served from then on. */
static void test_power_cut_anywhere(void **state)
{
    (void)state;
    bench_end(&b);
    for (unsigned older = 0; older < 2; older++) {
        bool whole = false;
        for (uint32_t at = 0; !whole; at++) {
            uint8_t served[20] = {0}, found[20];
            bench_prepare(&b, at, BENCH_MARKS);
            if (older == 1) {
                assert_int_equal(bench_start(&b), LARCH_OK);
                larch_gateway_wipe(&b.gw);
                assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
            }
            b.flash.cut_at = b.flash.operations + at;
            const bool started = bench_start(&b) == LARCH_OK;
            whole = !b.flash.off;
            assert_int_equal(started, whole);
            if (started)
                memcpy(served, larch_direct_service_identity(&b.gw.direct, NULL), sizeof served);
            assert_int_equal(restart(), LARCH_OK);
            memcpy(found, larch_direct_service_identity(&b.gw.direct, NULL), sizeof found);
            if (started)
                assert_memory_equal(served, found, sizeof served);
            assert_int_equal(restart(), LARCH_OK);
            assert_memory_equal(larch_direct_service_identity(&b.gw.direct, NULL), found, sizeof found);
            bench_end(&b);
        }
    }
    bench_begin(&b, 1, BENCH_MARKS);
}

/* ---- what is refused ---------------------------------------------------------- */

static uint8_t file[LARCH_IDENTITY_HELD * 122], expected[LARCH_FLASH_FILES][8192];

static void assert_refused(const char *name, larch_store_fault fault)
{
    for (size_t f = 0; f < LARCH_FLASH_FILES; f++)
        if (b.flash.files[f].now != NULL)
            memcpy(expected[f], b.flash.files[f].now, b.flash.files[f].size);
    const larch_error e = bench_start(&b);
    if (e != LARCH_MALFORMED || b.fault != fault)
        print_error("%s, %s: %s\n", larch_error_name(e), b.faulty, larch_store_fault_text(b.fault));
    assert_int_equal(e, LARCH_MALFORMED);
    assert_string_equal(b.faulty, name);
    assert_int_equal(b.fault, fault);
    for (size_t f = 0; f < LARCH_FLASH_FILES; f++)
        if (b.flash.files[f].now != NULL)
            assert_memory_equal(expected[f], b.flash.files[f].now, b.flash.files[f].size);
    static const larch_gateway nothing;
    assert_memory_equal(&b.gw, &nothing, sizeof nothing);
}

/* A bit of every byte, and every length but the right one. */
static void test_damaged(void **state)
{
    (void)state;
    const larch_bytes whole = larch_flash_look(&b.flash, LARCH_STORED_IDENTITY_NAME);
    const size_t len = whole.len, record = len / ENTRIES;
    assert_int_equal(len, ENTRIES * 122);
    memcpy(file, whole.data, len);
    larch_gateway_wipe(&b.gw);
    for (size_t at = 0; at < len; at++) {
        const size_t in = at % record;
        file[at] ^= (uint8_t)(1u << at % 8);
        larch_flash_put(&b.flash, LARCH_STORED_IDENTITY_NAME, (larch_bytes){file, len});
        const larch_error e = bench_start(&b);
        assert_int_equal(e, LARCH_MALFORMED);
        assert_string_equal(b.faulty, LARCH_STORED_IDENTITY_NAME);
        if (in < 4)
            assert_int_equal(b.fault, LARCH_STORE_FOREIGN);
        else if (in == 4)
            assert_int_equal(b.fault, LARCH_STORE_VERSION);
        else if (in > 16)
            assert_int_equal(b.fault, LARCH_STORE_DAMAGED);
        file[at] ^= (uint8_t)(1u << at % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        larch_flash_put(&b.flash, LARCH_STORED_IDENTITY_NAME, (larch_bytes){file, cut});
        assert_refused(LARCH_STORED_IDENTITY_NAME, LARCH_STORE_TRUNCATED);
    }
    memcpy(file + len, file, record);
    for (size_t more = 1; more <= record; more += record - 1) {
        larch_flash_put(&b.flash, LARCH_STORED_IDENTITY_NAME, (larch_bytes){file, len + more});
        assert_refused(LARCH_STORED_IDENTITY_NAME, LARCH_STORE_DAMAGED);
    }
    /* One entry in the place of another. */
    memmove(file, file + record, record);
    larch_flash_put(&b.flash, LARCH_STORED_IDENTITY_NAME, (larch_bytes){file, len});
    assert_refused(LARCH_STORED_IDENTITY_NAME, LARCH_STORE_KIND);
    assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_OK);
}

/* Whole files whose entries do not fit together. */
static void test_unsound(void **state)
{
    (void)state;
    larch_stored_identity sound;
    larch_store_fault fault;
    assert_int_equal(larch_stored_identity_load(&b.storage, &sound, &fault), LARCH_OK);
    larch_gateway_wipe(&b.gw);
    for (unsigned row = 0; row < 6; row++) {
        larch_stored_identity identity = sound;
        switch (row) {
        case 0: /* another key than the document names */
            identity.keys[0].seed[0] ^= 1;
            break;
        case 1:
            identity.keys[ENTRIES - 1].hash[31] ^= 1;
            break;
        case 2: /* one kind and algorithm twice */
            identity.keys[1] = identity.keys[0];
            break;
        case 3: /* of no kind */
            identity.keys[1].kind = 9;
            break;
        case 4: /* no root among the founding entries */
            identity.keys[0] = identity.keys[ENTRIES - 1];
            identity.founding = identity.count = 1;
            break;
        case 5: /* a signer in the place of a root's key */
            identity.keys[0].kind = LARCH_IDENTITY_SIGNATURE;
            identity.keys[0].algorithm = 44;
            break;
        }
        assert_int_equal(larch_stored_identity_save(&b.storage, &identity), LARCH_OK);
        assert_refused(LARCH_STORED_IDENTITY_NAME, row < 2 || row == 5 ? LARCH_STORE_DAMAGED : LARCH_STORE_KIND);
    }
    sound.founding = 0;
    assert_int_equal(larch_stored_identity_save(&b.storage, &sound), LARCH_STATE);
    sound.founding = (uint8_t)(sound.count + 1);
    assert_int_equal(larch_stored_identity_save(&b.storage, &sound), LARCH_STATE);
    sound.count = LARCH_IDENTITY_HELD + 1;
    assert_int_equal(larch_stored_identity_save(&b.storage, &sound), LARCH_STATE);
    assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_OK);
}

/* A root that stands in a ring would open messages. */
static void test_root_as_direct_key(void **state)
{
    (void)state;
    larch_stored_identity identity;
    larch_key_ring ring;
    larch_store_fault fault;
    assert_int_equal(larch_stored_identity_load(&b.storage, &identity, &fault), LARCH_OK);
    assert_int_equal(larch_key_ring_load(&b.storage, 512, &ring, &fault), LARCH_OK);
    larch_gateway_wipe(&b.gw);
    memcpy(ring.present.seed, identity.keys[0].seed, sizeof ring.present.seed);
    assert_int_equal(larch_key_ring_save(&b.storage, &ring), LARCH_OK);
    assert_refused("direct-512.key", LARCH_STORE_KIND);
    assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_OK);
}

/* Later entries are served, and change nothing about the identity. */
static void test_later_entries(void **state)
{
    (void)state;
    larch_stored_identity stored;
    larch_store_fault fault;
    larch_bytes document;
    uint8_t before[20];
    memcpy(before, larch_direct_service_identity(&b.gw.direct, NULL), sizeof before);
    assert_int_equal(larch_stored_identity_load(&b.storage, &stored, &fault), LARCH_OK);
    larch_gateway_wipe(&b.gw);
    stored.keys[stored.count++] =
        (larch_stored_identity_key){.kind = LARCH_IDENTITY_AUTHORITY, .algorithm = 65, .hash = {1, 2, 3}};
    assert_int_equal(larch_stored_identity_save(&b.storage, &stored), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_OK);
    assert_memory_equal(larch_direct_service_identity(&b.gw.direct, &document), before, sizeof before);
    assert_int_equal(document.len, LARCH_IDENTITY_HEAD_LEN + (ENTRIES + 1) * LARCH_IDENTITY_ENTRY_LEN);
}

/* ---- hints ---------------------------------------------------------------------- */

/* Gives bytes that were prepared, and then random ones; stuck: the prepared ones again and again. */
static struct {
    uint8_t bytes[LARCH_STORE_SEED_LEN];
    unsigned repeats;
    larch_random then;
} planned;

static larch_error fill_planned(void *context, uint8_t *out, size_t len)
{
    (void)context;
    if (planned.repeats == 0 || len != sizeof planned.bytes)
        return larch_random_fill(&planned.then, out, len);
    planned.repeats--;
    memcpy(out, planned.bytes, len);
    return LARCH_OK;
}

/* A new direct key that would equal a held key is made anew; a source that goes on so is broken. */
static void test_hints_differ(void **state)
{
    (void)state;
    const larch_random plan = {fill_planned, NULL};
    const larch_kem *kem = larch_kem_find(512);
    larch_stored_identity identity;
    larch_key_ring ring;
    larch_store_fault fault;
    uint32_t generation = 0;
    const uint8_t *hash;
    assert_int_equal(larch_stored_identity_load(&b.storage, &identity, &fault), LARCH_OK);
    assert_int_equal(larch_key_ring_load(&b.storage, 512, &ring, &fault), LARCH_OK);
    planned.then = b.random;
    b.gw.direct.config.random = &plan;
    for (unsigned row = 0; row < 2; row++) {
        memcpy(planned.bytes, row == 0 ? identity.keys[0].seed : ring.present.seed, sizeof planned.bytes);
        planned.repeats = 3;
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        assert_int_equal(planned.repeats, 0);
        (void)larch_gateway_key_of(&b.gw, kem, &generation, &hash);
        assert_int_equal(generation, 2 + row);
        assert_memory_not_equal(hash, identity.keys[0].hash, LARCH_DIRECT_HINT_LEN);
        assert_int_equal(larch_key_ring_load(&b.storage, 512, &ring, &fault), LARCH_OK);
    }
    planned.repeats = UINT32_MAX;
    memcpy(planned.bytes, identity.keys[0].seed, sizeof planned.bytes);
    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_PLATFORM);
    (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
    assert_int_equal(generation, 3);

    /* So is a new root that would equal a direct key. */
    larch_gateway_wipe(&b.gw);
    assert_int_equal(b.storage.remove(b.storage.context, LARCH_STORED_IDENTITY_NAME), LARCH_OK);
    assert_int_equal(larch_key_ring_load(&b.storage, 512, &ring, &fault), LARCH_OK);
    memcpy(planned.bytes, ring.present.seed, sizeof planned.bytes);
    planned.repeats = 1;
    b.config.direct.random = &plan;
    assert_int_equal(bench_start(&b), LARCH_OK);
    assert_int_equal(planned.repeats, 0);
    assert_int_equal(larch_stored_identity_load(&b.storage, &identity, &fault), LARCH_OK);
    assert_memory_not_equal(identity.keys[0].seed, planned.bytes, sizeof planned.bytes);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_document, begin, end),
        cmocka_unit_test_setup_teardown(test_questions, begin, end),
        cmocka_unit_test_setup_teardown(test_question_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_lasts, begin, end),
        cmocka_unit_test_setup_teardown(test_older_folder, begin, end),
        cmocka_unit_test_setup_teardown(test_power_cut_anywhere, begin, end),
        cmocka_unit_test_setup_teardown(test_damaged, begin, end),
        cmocka_unit_test_setup_teardown(test_unsound, begin, end),
        cmocka_unit_test_setup_teardown(test_root_as_direct_key, begin, end),
        cmocka_unit_test_setup_teardown(test_later_entries, begin, end),
        cmocka_unit_test_setup_teardown(test_hints_differ, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
