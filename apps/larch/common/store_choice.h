/* SPDX-License-Identifier: Apache-2.0 */
/* Which source the store key has (secrets/head.h), as options and a configuration file choose it. */
#ifndef LARCH_APP_STORE_CHOICE_H
#define LARCH_APP_STORE_CHOICE_H

#include "common/option.h"

#define LARCH_STORE_NAME_MAX  128 /* of a credential, or a token's URI */
#define LARCH_STORE_PLACE_MAX 1024

/* Where the store key comes from, and where the secret for that is found. Zeros: what the folder says, and the file for a
 * new one. */
typedef struct larch_store_choice {
    unsigned source; /* a larch_store_source; 0: none was chosen */
    char credential[LARCH_STORE_NAME_MAX + 1];
    char token[LARCH_STORE_NAME_MAX + 1];
    char passphrase[LARCH_STORE_PLACE_MAX]; /* places of larch_app_read_secret */
    char pin[LARCH_STORE_PLACE_MAX];
} larch_store_choice;

/* In the order of larch_store_source; the first is for none. */
extern const char *const larch_store_source_choices[];

/* A member cannot stand in parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */

/* Rows that unlock: of each command that opens a folder. field: a larch_store_choice. where: the section of a
 * configuration file; NULL. */
#define LARCH_STORE_UNLOCK_ROWS(type, field, where)                                                                  \
    {.name = "store-passphrase",                                                                                     \
     .kind = LARCH_OPTION_COPY,                                                                                      \
     .value = "FILE",                                                                                                \
     .wants = "a file or credential:NAME",                                                                           \
     .section = (where),                                                                                             \
     LARCH_OPTION_AT(type, field.passphrase),                                                                        \
     .text = "where the store's passphrase is, if it has one: a file of mode 0600, or credential:NAME; default the " \
             "credential larch-store-passphrase, else it is asked for"},                                             \
    {                                                                                                                \
        .name = "store-pin", .kind = LARCH_OPTION_COPY, .value = "FILE", .wants = "a file or credential:NAME",       \
        .section = (where), LARCH_OPTION_AT(type, field.pin),                                                        \
        .text =                                                                                                      \
            "where the PIN of the store's token is, if it has one; default the credential larch-store-pin, else it " \
            "is asked for"                                                                                           \
    }

/* Rows that choose the source of a new folder. */
#define LARCH_STORE_CHOICE_ROWS(type, field, where)                                                                    \
    {.name = "store-key",                                                                                              \
     .kind = LARCH_OPTION_CHOICE,                                                                                      \
     .value = "WHAT",                                                                                                  \
     .choices = larch_store_source_choices,                                                                            \
     .section = (where),                                                                                               \
     LARCH_OPTION_AT(type, field.source),                                                                              \
     .text = "where the key that seals the folder's secrets comes from: 'file' (of a new folder the default), "        \
             "'credential' of systemd, 'passphrase', or 'pkcs11', a token; 'as-is' (default) is what the folder has. " \
             "Only 'larch store rekey' changes it"},                                                                   \
        {.name = "store-credential",                                                                                   \
         .kind = LARCH_OPTION_COPY,                                                                                    \
         .value = "NAME",                                                                                              \
         .wants = "a name",                                                                                            \
         .section = (where),                                                                                           \
         LARCH_OPTION_AT(type, field.credential),                                                                      \
         .text = "the systemd credential, of 32 bytes or more; default larch-store-key"},                              \
    {                                                                                                                  \
        .name = "store-token", .kind = LARCH_OPTION_COPY, .value = "URI", .wants = "a PKCS#11 URI",                    \
        .section = (where), LARCH_OPTION_AT(type, field.token),                                                        \
        .text = "the token and its key, 'pkcs11:token=NAME;object=LABEL', with ';module-path=FILE' behind '?' if "     \
                "p11-kit does not know the module; the key is made if it is not there"                                 \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

#endif
