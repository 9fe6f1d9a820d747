/* SPDX-License-Identifier: Apache-2.0 */
/* X25519. Keys live inside a call: libcrypto allocates them, and they are freed before it returns. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/libcrypto_int.h"

#if LARCH_ECC

static EVP_PKEY_CTX *maker; /* NULL until the provider starts */

bool larch_libcrypto_start_x25519(void)
{
    if (maker == NULL)
        maker = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    return maker != NULL;
}

/* Either half may be NULL. libcrypto only reads the bytes, though its parameters are not const. */
static EVP_PKEY *make_key(const uint8_t *private_key, const uint8_t *public_key)
{
    OSSL_PARAM params[3], *p = params;
    EVP_PKEY *key = NULL;
    if (private_key != NULL)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)private_key, LARCH_X25519_LEN);
    if (public_key != NULL)
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)public_key, LARCH_X25519_LEN);
    *p = OSSL_PARAM_construct_end();
    if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &key, private_key != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

larch_error larch_x25519_public(const uint8_t private_key[LARCH_X25519_LEN], uint8_t public_key[LARCH_X25519_LEN])
{
    EVP_PKEY *key = make_key(private_key, NULL);
    size_t len = LARCH_X25519_LEN;
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1 && len == LARCH_X25519_LEN;
    EVP_PKEY_free(key);
    if (!ok)
        larch_wipe(public_key, LARCH_X25519_LEN);
    return larch_libcrypto_outcome(ok, LARCH_PLATFORM);
}

larch_error larch_x25519(const uint8_t private_key[LARCH_X25519_LEN], const uint8_t public_key[LARCH_X25519_LEN],
                         uint8_t shared[LARCH_X25519_LEN])
{
    /* The agreement reads our private half alone. With any public half beside it, libcrypto does not compute the true
     * one, which would take as long as the agreement. */
    EVP_PKEY *ours = make_key(private_key, public_key), *peer = make_key(NULL, public_key);
    EVP_PKEY_CTX *context = ours == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
    size_t len = LARCH_X25519_LEN;
    larch_error e = LARCH_OK;
    if (peer == NULL || context == NULL || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer_ex(context, peer, 0) != 1)
        e = LARCH_PLATFORM;
    else if (EVP_PKEY_derive(context, shared, &len) != 1 || len != LARCH_X25519_LEN)
        e = LARCH_MALFORMED; /* with all in place, it fails at a secret of zeroes alone */
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(ours);
    if (e != LARCH_OK)
        larch_wipe(shared, LARCH_X25519_LEN);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

#endif
