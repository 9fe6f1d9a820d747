/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/token.h"

#include <stdio.h>
#include <string.h>

#if LARCH_PKCS11

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#define AES_KEY_LEN 32
#define SLOTS_MAX   64

/* A session with the token that the URI names. */
typedef struct session {
    P11KitUri *uri;
    CK_FUNCTION_LIST **modules; /* all that p11-kit is configured for; NULL: one is loaded by its path, */
    CK_FUNCTION_LIST *loaded[2];
    CK_FUNCTION_LIST *module; /* that has the token */
    CK_SESSION_HANDLE handle;
    bool is_open;
    char *why;
} session;

static larch_error fail(const session *s, larch_error e, const char *text)
{
    snprintf(s->why, LARCH_TOKEN_WHY_MAX, "%s", text);
    return e;
}

static larch_error fail_call(const session *s, const char *what, CK_RV rv)
{
    snprintf(s->why, LARCH_TOKEN_WHY_MAX, "%s: %s", what, p11_kit_strerror(rv));
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID
               ? LARCH_AUTH
               : LARCH_PLATFORM;
}

/* ---- module and token ------------------------------------------------------ */

static larch_error load_modules(session *s)
{
    const char *path = p11_kit_uri_get_module_path(s->uri);
    if (path == NULL) {
        s->modules = p11_kit_modules_load_and_initialize(0);
        return s->modules != NULL ? LARCH_OK
                                  : fail(s, LARCH_STATE, "p11-kit finds no module: name one by module-path in the URI");
    }
    CK_FUNCTION_LIST *module = p11_kit_module_load(path, 0);
    if (module == NULL)
        return fail(s, LARCH_STATE, "the module of module-path cannot be loaded");
    const CK_RV rv = p11_kit_module_initialize(module);
    if (rv != CKR_OK) {
        p11_kit_module_release(module);
        return fail_call(s, "the module does not start", rv);
    }
    s->loaded[0] = module;
    return LARCH_OK;
}

static bool find_slot_of(session *s, CK_FUNCTION_LIST *module, CK_SLOT_ID *slot)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    CK_TOKEN_INFO info;
    if (module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < count; i++)
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0 &&
            p11_kit_uri_match_token_info(s->uri, &info) == 1) {
            *slot = slots[i];
            return true;
        }
    return false;
}

static bool find_slot(session *s, CK_SLOT_ID *slot)
{
    for (CK_FUNCTION_LIST **m = s->modules != NULL ? s->modules : s->loaded; *m != NULL; m++)
        if (find_slot_of(s, *m, slot)) {
            s->module = *m;
            return true;
        }
    return false;
}

static void end(session *s)
{
    if (s->is_open) {
        (void)s->module->C_Logout(s->handle);
        (void)s->module->C_CloseSession(s->handle);
    }
    if (s->modules != NULL)
        p11_kit_modules_finalize_and_release(s->modules);
    if (s->loaded[0] != NULL) {
        (void)p11_kit_module_finalize(s->loaded[0]);
        p11_kit_module_release(s->loaded[0]);
    }
    p11_kit_uri_free(s->uri);
}

static larch_error begin(session *s, const char *uri, larch_bytes pin, char *why)
{
    CK_SLOT_ID slot;
    uint8_t copy[LARCH_TOKEN_PIN_MAX];
    *s = (session){.uri = p11_kit_uri_new(), .why = why};
    if (s->uri == NULL)
        return fail(s, LARCH_PLATFORM, "memory is out");
    if (p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, s->uri) != P11_KIT_URI_OK ||
        p11_kit_uri_any_unrecognized(s->uri) != 0 || p11_kit_uri_get_attribute(s->uri, CKA_LABEL) == NULL)
        return fail(s, LARCH_STATE, "its URI is not as RFC 7512 has it, or names no object=LABEL");
    if (pin.len > sizeof copy)
        return fail(s, LARCH_AUTH, "the PIN is too long");
    p11_kit_be_quiet();
    larch_error e = load_modules(s);
    if (e != LARCH_OK)
        return e;
    if (!find_slot(s, &slot))
        return fail(s, LARCH_STATE, "no token that its URI describes is there: plug it in");
    CK_RV rv = s->module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s->handle);
    if (rv != CKR_OK)
        return fail_call(s, "it opens no session", rv);
    s->is_open = true;
    memcpy(copy, pin.data, pin.len);
    rv = s->module->C_Login(s->handle, CKU_USER, copy, (CK_ULONG)pin.len);
    larch_wipe(copy, sizeof copy);
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? LARCH_OK : fail_call(s, "it refuses the PIN", rv);
}

/* ---- the key ----------------------------------------------------------------- */

static larch_error find_key(session *s, CK_OBJECT_HANDLE *key)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_BBOOL yes = CK_TRUE;
    const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(s->uri, CKA_LABEL);
    CK_ATTRIBUTE wanted[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &yes, sizeof yes}, *label};
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    CK_RV rv = s->module->C_FindObjectsInit(s->handle, wanted, sizeof wanted / sizeof wanted[0]);
    if (rv == CKR_OK) {
        rv = s->module->C_FindObjects(s->handle, found, 2, &count);
        (void)s->module->C_FindObjectsFinal(s->handle);
    }
    if (rv != CKR_OK)
        return fail_call(s, "it lists no keys", rv);
    if (count > 1)
        return fail(s, LARCH_STATE, "it has two keys of that label: delete the other one");
    if (count == 0)
        return fail(s, LARCH_AGAIN, "it has no AES key of that label");
    *key = found[0];
    return LARCH_OK;
}

static larch_error make_key(session *s, CK_OBJECT_HANDLE *key)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    CK_ULONG len = AES_KEY_LEN;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
    CK_ATTRIBUTE form[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type},
                           {CKA_VALUE_LEN, &len, sizeof len}, {CKA_TOKEN, &yes, sizeof yes},
                           {CKA_PRIVATE, &yes, sizeof yes},   {CKA_SENSITIVE, &yes, sizeof yes},
                           {CKA_EXTRACTABLE, &no, sizeof no}, {CKA_ENCRYPT, &yes, sizeof yes},
                           {CKA_DECRYPT, &yes, sizeof yes},   *p11_kit_uri_get_attribute(s->uri, CKA_LABEL)};
    const CK_RV rv = s->module->C_GenerateKey(s->handle, &mechanism, form, sizeof form / sizeof form[0], key);
    return rv == CKR_OK ? LARCH_OK : fail_call(s, "it makes no AES key", rv);
}

/* A key that can be read out protects nothing that a copy of the token's memory would not. */
static larch_error check_key(session *s, CK_OBJECT_HANDLE key)
{
    CK_BBOOL extractable = CK_TRUE, sensitive = CK_FALSE;
    CK_ATTRIBUTE form[] = {{CKA_EXTRACTABLE, &extractable, sizeof extractable},
                           {CKA_SENSITIVE, &sensitive, sizeof sensitive}};
    const CK_RV rv = s->module->C_GetAttributeValue(s->handle, key, form, 2);
    if (rv != CKR_OK)
        return fail_call(s, "it does not say whether its key can be read out", rv);
    return extractable == CK_FALSE && sensitive == CK_TRUE
               ? LARCH_OK
               : fail(s, LARCH_STATE, "its key of that label can be read out: name another label");
}

static larch_error crypt(session *s, CK_OBJECT_HANDLE key, bool encrypts, const uint8_t *iv, const uint8_t *in,
                         uint8_t *out)
{
    uint8_t iv_copy[LARCH_TOKEN_IV_LEN], in_copy[LARCH_SEAL_KEY_LEN], whole[LARCH_SEAL_KEY_LEN];
    CK_MECHANISM mechanism = {CKM_AES_CBC, iv_copy, sizeof iv_copy};
    CK_ULONG len = sizeof whole;
    memcpy(iv_copy, iv, sizeof iv_copy);
    memcpy(in_copy, in, sizeof in_copy);
    CK_RV rv = encrypts ? s->module->C_EncryptInit(s->handle, &mechanism, key)
                        : s->module->C_DecryptInit(s->handle, &mechanism, key);
    if (rv == CKR_OK)
        rv = encrypts ? s->module->C_Encrypt(s->handle, in_copy, sizeof in_copy, whole, &len)
                      : s->module->C_Decrypt(s->handle, in_copy, sizeof in_copy, whole, &len);
    if (rv == CKR_OK && len == sizeof whole)
        memcpy(out, whole, sizeof whole);
    larch_wipe(in_copy, sizeof in_copy);
    larch_wipe(whole, sizeof whole);
    if (rv != CKR_OK)
        return fail_call(s, "its key does not work", rv);
    return len == LARCH_SEAL_KEY_LEN ? LARCH_OK : fail(s, LARCH_PLATFORM, "it gives too few bytes");
}

static larch_error use(const char *uri, larch_bytes pin, bool wraps, const uint8_t *iv, const uint8_t *in, uint8_t *out,
                       char *why)
{
    session s;
    CK_OBJECT_HANDLE key = 0;
    memset(out, 0, LARCH_SEAL_KEY_LEN);
    larch_error e = begin(&s, uri, pin, why);
    if (e == LARCH_OK && (e = find_key(&s, &key)) == LARCH_AGAIN)
        e = wraps ? make_key(&s, &key) : LARCH_STATE;
    if (e == LARCH_OK && (e = check_key(&s, key)) == LARCH_OK)
        e = crypt(&s, key, wraps, iv, in, out);
    end(&s);
    return e;
}

bool larch_token_is_built(void) { return true; }

larch_error larch_token_unwrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                               const uint8_t wrapped[LARCH_SEAL_KEY_LEN], uint8_t *out, char why[LARCH_TOKEN_WHY_MAX])
{
    return use(uri, pin, false, iv, wrapped, out, why);
}

larch_error larch_token_wrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                             const uint8_t key[LARCH_SEAL_KEY_LEN], uint8_t *out, char why[LARCH_TOKEN_WHY_MAX])
{
    return use(uri, pin, true, iv, key, out, why);
}

#else

bool larch_token_is_built(void) { return false; }

static larch_error refuse(uint8_t *out, char *why)
{
    memset(out, 0, LARCH_SEAL_KEY_LEN);
    snprintf(why, LARCH_TOKEN_WHY_MAX, "this larch was built without PKCS#11: build it with Debian's libp11-kit-dev");
    return LARCH_STATE;
}

larch_error larch_token_unwrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                               const uint8_t wrapped[LARCH_SEAL_KEY_LEN], uint8_t *out, char why[LARCH_TOKEN_WHY_MAX])
{
    (void)uri;
    (void)pin;
    (void)iv;
    (void)wrapped;
    return refuse(out, why);
}

larch_error larch_token_wrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                             const uint8_t key[LARCH_SEAL_KEY_LEN], uint8_t *out, char why[LARCH_TOKEN_WHY_MAX])
{
    return larch_token_unwrap(uri, pin, iv, key, out, why);
}

#endif
