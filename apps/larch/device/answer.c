/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of devices, as larch device prints them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/ask.h"
#include "text/json.h"
#include "text/text.h"

const char *const device_methods[] = {[DEVICE_METHOD_POST] = "post",
                                      [DEVICE_METHOD_PUT] = "put",
                                      [DEVICE_METHOD_PSK] = "4",
                                      [DEVICE_METHOD_SIGNATURES] = "0",
                                      NULL};
const char *const device_references[] = {
    [DEVICE_BY_KID] = "kid", [DEVICE_BY_CCS] = "ccs", [DEVICE_BY_CWT] = "cwt", [DEVICE_BY_HASH] = "hash", NULL};

/* ---- answers ------------------------------------------------------------------- */

bool device_take_answer(larch_bytes text, device_answer *answer)
{
    const larch_bytes code = larch_control_take_word(&text);
    if (code.len != DEVICE_CODE_LEN || !larch_control_take_hex(text, answer->body, sizeof answer->body, &answer->len))
        return false;
    memcpy(answer->code, code.data, DEVICE_CODE_LEN);
    answer->code[DEVICE_CODE_LEN] = '\0';
    return true;
}

void device_put_body(larch_json *json, const device_answer *answer)
{
    const larch_bytes body = {answer->body, answer->len};
    larch_json_put_bytes(json, "text", body);
    if (!larch_text_is_utf8(body))
        larch_json_put_hex(json, "hex", body);
}

static void print_json(const char *name, const device_answer *answer)
{
    static uint8_t line[DEVICE_LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", name);
    larch_json_put_text(&j, "code", answer->code);
    device_put_body(&j, answer);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* For a terminal, or where lines tell one answer from the next. */
static void print_line(FILE *file, const char *before, larch_bytes body)
{
    static uint8_t line[DEVICE_LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_text_put(&w, before);
    larch_text_put_plain(&w, body);
    larch_text_put(&w, "\n");
    larch_text_print(&w, file);
}

static larch_exit print_answer(bool is_printed, const char *name, bool in_lines, const device_answer *answer)
{
    const larch_bytes body = {answer->body, answer->len};
    if (answer->code[0] == '2') {
        if (!is_printed && (in_lines || (isatty(STDOUT_FILENO) && body.len > 0)))
            print_line(stdout, "", body);
        else if (!is_printed)
            (void)fwrite(body.data, 1, body.len, stdout);
        return LARCH_EXIT_DONE;
    }
    char before[80];
    (void)snprintf(before, sizeof before, "larch device: %s answered %s%s", name, answer->code,
                   body.len > 0 ? ": " : "");
    print_line(stderr, before, body);
    return LARCH_EXIT_FAILED;
}

larch_exit device_print_answer(bool is_printed, const char *name, const device_answer *answer)
{
    return print_answer(is_printed, name, false, answer);
}

larch_exit device_show_answer(const device_asking *asking, const char *name, bool in_lines, const device_answer *answer)
{
    if (asking->json)
        print_json(name, answer);
    return print_answer(asking->json, name, in_lines, answer);
}
