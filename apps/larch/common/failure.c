/* SPDX-License-Identifier: Apache-2.0 */
#include "common/failure.h"

#include <string.h>

#include "text/text.h"

void larch_app_failure(const larch_sender *sender, char text[LARCH_APP_FAILURE_MAX])
{
    const larch_sender_failure failure = larch_sender_failure_of(sender);
    larch_writer w = larch_writer_to((uint8_t *)text, LARCH_APP_FAILURE_MAX - 1);
    larch_bytes answer;
    char code_text[LARCH_TEXT_CODE_MAX];
    const uint8_t code = larch_sender_answer(sender, &answer);
    memset(text, 0, LARCH_APP_FAILURE_MAX);
    larch_text_put(&w, larch_sender_failure_text(failure));
    if (code != 0) {
        larch_text_put(&w, " (");
        larch_text_put(&w, larch_text_of_code(code, code_text));
        if (answer.len > 0)
            larch_text_put(&w, " ");
        larch_text_put_plain(&w, answer);
        larch_text_put(&w, ")");
    }
    if (larch_sender_bad_option(sender) != 0)
        larch_text_put_format(&w, " (option %u)", (unsigned)larch_sender_bad_option(sender));
    larch_text_put(&w, "; ");
    larch_text_put(&w, larch_sender_failure_advice(failure));
}
