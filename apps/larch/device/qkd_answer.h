/* SPDX-License-Identifier: Apache-2.0 */
/* What a key delivery service answers [ETSI GS QKD 014 V1.1.1, 6]: a key container, or an error. All of it is untrusted. */
#ifndef LARCH_APP_DEVICE_QKD_ANSWER_H
#define LARCH_APP_DEVICE_QKD_ANSWER_H

#include "larch/base.h"

#define DEVICE_QKD_KEY_LEN  32
#define DEVICE_QKD_UUID_LEN 16
#define DEVICE_QKD_ID_LEN   36 /* a UUID as text */

/* Secret. */
typedef struct device_qkd_key {
    uint8_t key[DEVICE_QKD_KEY_LEN];
    uint8_t uuid[DEVICE_QKD_UUID_LEN];
    char id[DEVICE_QKD_ID_LEN + 1]; /* the UUID as the service wrote it */
} device_qkd_key;

/* X(NAME, text) */
#define DEVICE_QKD_FAULTS(X)                               \
    X(NONE, "sound")                                       \
    X(JSON, "is not JSON, or is cut short")                \
    X(CONTAINER, "is no key container of ETSI GS QKD 014") \
    X(KEYS, "does not hold exactly one key")               \
    X(ID, "names its key by something else than one UUID") \
    X(KEY, "holds a key that is not in base64")            \
    X(LENGTH, "holds a key that does not have 256 bits")

#define DEVICE_QKD_FAULT_ENUM(name, text) DEVICE_QKD_FAULT_##name,
typedef enum device_qkd_fault { DEVICE_QKD_FAULTS(DEVICE_QKD_FAULT_ENUM) DEVICE_QKD_FAULT_COUNT } device_qkd_fault;
#undef DEVICE_QKD_FAULT_ENUM

/* "is not JSON, or is cut short" */
const char *device_qkd_fault_text(device_qkd_fault fault);

/* The 16 bytes of a UUID in hexadecimal, with its hyphens [RFC9562 4]. */
bool device_qkd_take_uuid(larch_bytes text, uint8_t uuid[DEVICE_QKD_UUID_LEN]);
/* { "keys": [ { "key_ID": UUID, "key": base64 } ] } of one key. Other members are passed over. Else than DEVICE_QKD_FAULT_NONE *key is wiped. */
device_qkd_fault device_qkd_take_key(larch_bytes json, device_qkd_key *key);
/* The "message" of an error, at most cap bytes of it, which may hold anything. Returns how many; 0: it has none. */
size_t device_qkd_take_message(larch_bytes json, uint8_t *out, size_t cap);

#endif
