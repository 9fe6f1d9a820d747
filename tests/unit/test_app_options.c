/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, read by rows: what is stored, what is refused and in which words. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/command.h"
#include "common/nearest.h"
#include "divert.h"
#include "larch/kem.h"

typedef struct target {
    bool json, jumbo;
    const char *text;
    char copy[8];
    uint16_t small;
    uint32_t middle;
    unsigned long large;
    double seconds, period;
    enum { NONE, ONE, TWO } asked, choice;
    const larch_kem *kem;
    larch_peer peers[2];
    size_t peer_count;
    uint16_t list[3];
    size_t list_count;
    unsigned even;
} target;

static bool set_even(void *context, const char *value)
{
    unsigned long number;
    if (!larch_app_number(value, 0, 100, &number) || number % 2 != 0)
        return false;
    ((target *)context)->even = (unsigned)number;
    return true;
}

static const char *const choices[] = {"none", "one", "two", NULL};

static const larch_option rows[] = {
    {.name = "json", .letter = 'j', .kind = LARCH_OPTION_FLAG, LARCH_OPTION_AT(target, json), .text = "a flag"},
    {.name = "jumbo", .letter = 'J', .kind = LARCH_OPTION_FLAG, LARCH_OPTION_AT(target, jumbo), .text = "another"},
    {.name = "text",
     .letter = 't',
     .kind = LARCH_OPTION_TEXT,
     .value = "TEXT",
     LARCH_OPTION_AT(target, text),
     .text = "a text of which more can be said than one line of help can hold, so that it is continued below itself"},
    {.name = "copy", .kind = LARCH_OPTION_COPY, .value = "WORD", LARCH_OPTION_AT(target, copy), .text = "kept"},
    {.name = "small",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = 65535,
     LARCH_OPTION_AT(target, small)},
    {.name = "middle",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .max = UINT32_MAX,
     LARCH_OPTION_AT(target, middle),
     .text = "a number"},
    {.name = "large",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 2,
     .max = ULONG_MAX,
     LARCH_OPTION_AT(target, large)},
    {.name = "seconds", .kind = LARCH_OPTION_SECONDS, .value = "S", LARCH_OPTION_AT(target, seconds)},
    {.name = "period", .kind = LARCH_OPTION_PERIOD, .value = "S", LARCH_OPTION_AT(target, period)},
    {.name = "ask-one", .kind = LARCH_OPTION_CONSTANT, .min = ONE, LARCH_OPTION_AT(target, asked)},
    {.name = "ask-two", .kind = LARCH_OPTION_CONSTANT, .min = TWO, LARCH_OPTION_AT(target, asked)},
    {.name = "ask-two-more", .kind = LARCH_OPTION_IGNORED, .value_optional = true},
    {.name = "choice", .kind = LARCH_OPTION_CHOICE, .value = "C", .choices = choices, LARCH_OPTION_AT(target, choice)},
    {.name = "kem", .kind = LARCH_OPTION_KEM, .value = "SET", LARCH_OPTION_POINTER(target, kem)},
    {.name = "to", .kind = LARCH_OPTION_ADDRESS, .value = "ADDR[:PORT]", LARCH_OPTION_LIST(target, peers, peer_count)},
    {.name = "port",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .max = 65535,
     LARCH_OPTION_LIST(target, list, list_count)},
    {.name = "even", .kind = LARCH_OPTION_SETTER, .value = "N", .wants = "an even number", .set = set_even},
};

static const larch_command command = {.name = "test",
                                      .usage = "[OPTION]... A B\n--json",
                                      .about = "About it.\n",
                                      LARCH_COMMAND_OPTIONS(rows),
                                      .more = "More of it.\n",
                                      .operand_max = 2,
                                      .surplus = "quote it"};

#define WORDS_MAX 20

typedef struct line {
    char words[WORDS_MAX][48];
    char *argv[WORDS_MAX + 1];
    int argc;
    larch_operands operands;
    char said[1024]; /* on stderr */
    char shown[4096];
} line;

/* Reads words, separated by spaces, after the command's name. */
static larch_exit parse(const larch_command *c, const char *words, target *t, line *l)
{
    char copy[400], *rest = copy, *word;
    FILE *err, *out;
    memset(l, 0, sizeof *l);
    (void)snprintf(copy, sizeof copy, "test%s%s", words[0] != '\0' ? " " : "", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        assert_true(l->argc < WORDS_MAX && strlen(word) < sizeof l->words[0]);
        l->argv[l->argc] = strcpy(l->words[l->argc], word); /* NOLINT: the length was checked */
        l->argc++;
    }
    (void)fflush(stdout);
    const int err_before = divert(STDERR_FILENO, &err), out_before = divert(STDOUT_FILENO, &out);
    const larch_exit code = larch_command_parse(c, t, l->argc, l->argv, &l->operands);
    restore(STDOUT_FILENO, out_before, out, l->shown, sizeof l->shown);
    restore(STDERR_FILENO, err_before, err, l->said, sizeof l->said);
    return code;
}

/* ---- what is stored -------------------------------------------------------- */

static void expect(const char *words, target *t, line *l)
{
    *t = (target){.json = false};
    assert_int_equal(parse(&command, words, t, l), LARCH_EXIT_DONE);
    assert_string_equal(l->said, "");
    assert_string_equal(l->shown, "");
}

static void test_kinds(void **state)
{
    target t;
    line l;
    (void)state;
    expect("--json --text x --copy=1234567 --small 65535 --middle 4294967295 --large=18", &t, &l);
    assert_true(t.json && !t.jumbo);
    assert_string_equal(t.text, "x");
    assert_string_equal(t.copy, "1234567");
    assert_true(t.small == 65535 && t.middle == UINT32_MAX && t.large == 18);
    assert_true(t.list_count == 0 && t.peer_count == 0 && t.asked == NONE && t.choice == NONE && t.kem == NULL);
    expect("--seconds 0 --period=.25 --ask-one --choice two --kem 768 --even 42", &t, &l);
    assert_true(t.seconds == 0 && t.period == 0.25);
    assert_int_equal(t.asked, ONE);
    assert_int_equal(t.choice, TWO);
    assert_ptr_equal(t.kem, larch_kem_find(768));
    assert_int_equal(t.even, 42);
    assert_true(!t.json && t.text == NULL && t.small == 0 && t.middle == 0);
    expect("--text= --ask-two-more --ask-two-more=4.0", &t, &l);
    assert_string_equal(t.text, "");
}

static void test_repeated(void **state)
{
    target t;
    line l;
    (void)state;
    expect("--small 1 --small 2 --ask-one --ask-two --to 127.0.0.1 --to [::1]:7 --port 3 --port 0 --port 9", &t, &l);
    assert_int_equal(t.small, 2);
    assert_int_equal(t.asked, TWO);
    assert_int_equal(t.peer_count, 2);
    assert_true(t.peers[0].port == 5683 && t.peers[1].port == 7 && larch_peer_is_ipv4(&t.peers[0]));
    assert_int_equal(t.list_count, 3);
    assert_true(t.list[0] == 3 && t.list[1] == 0 && t.list[2] == 9);
    /* The first value replaces what another source had filled in. */
    assert_int_equal(parse(&command, "--port 5", &t, &l), LARCH_EXIT_DONE);
    assert_true(t.list_count == 1 && t.list[0] == 5 && t.peer_count == 2);
}

static void test_abbreviations(void **state)
{
    target t;
    line l;
    (void)state;
    expect("--js --ju --te x --sm=3 --ask-two --k 512", &t, &l); /* --ask-two is whole, though another begins with it */
    assert_true(t.json && t.jumbo && t.small == 3 && t.kem == larch_kem_find(512));
    assert_string_equal(t.text, "x");
    assert_int_equal(t.asked, TWO);
}

static void test_letters(void **state)
{
    target t;
    line l;
    (void)state;
    expect("-jJtvalue", &t, &l);
    assert_true(t.json && t.jumbo);
    assert_string_equal(t.text, "value");
    expect("-t -j -J", &t, &l); /* a value may look like an option */
    assert_true(!t.json && t.jumbo);
    assert_string_equal(t.text, "-j");
}

static void test_operands(void **state)
{
    target t;
    line l;
    (void)state;
    expect("one --small 7 - --json", &t, &l);
    assert_int_equal(l.operands.count, 2);
    assert_string_equal(l.operands.words[0], "one");
    assert_string_equal(l.operands.words[1], "-");
    assert_true(t.json && t.small == 7);
    const char *const order[] = {"test", "--small", "7", "--json", "one", "-"};
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(l.argv[i], order[i]);
    expect("a -j -- --json", &t, &l);
    assert_true(t.json && l.operands.count == 2);
    assert_string_equal(l.operands.words[1], "--json");
    assert_string_equal(l.argv[2], "--");
    assert_string_equal(l.argv[3], "a");
    expect("-- -j", &t, &l);
    assert_true(!t.json && l.operands.count == 1);
    expect("--", &t, &l);
    assert_int_equal(l.operands.count, 0);
    expect("", &t, &l);
    assert_int_equal(l.operands.end, 1);

    larch_command stops = command;
    stops.stops_at_operand = true;
    stops.operand_max = 0;
    assert_int_equal(parse(&stops, "-j word --jumbo", &t, &l), LARCH_EXIT_DONE);
    assert_int_equal(l.operands.end, 2);
    assert_true(t.json && !t.jumbo);
    assert_int_equal(parse(&stops, "-- --jumbo", &t, &l), LARCH_EXIT_DONE);
    assert_int_equal(l.operands.end, 2);
}

/* ---- what is refused ------------------------------------------------------- */

static void test_mistakes(void **state)
{
    static const struct {
        const char *words;
        const char *said;
    } mistakes[] = {
        {"--j", "'--j' may be any of --json, --jumbo"},
        {"--ask", "'--ask' may be any of --ask-one, --ask-two, --ask-two-more"},
        {"--jsn", "unknown option '--jsn'; did you mean '--json'?"},
        {"--tetx=1", "unknown option '--tetx'; did you mean '--text'?"},
        {"--jsonl", "unknown option '--jsonl'; did you mean '--json'?"},
        {"--hlep", "unknown option '--hlep'; did you mean '--help'?"},
        {"--smallest", "unknown option '--smallest'"}, /* rows without help are not named */
        {"--nonsense", "unknown option '--nonsense'"},
        {"--=x", "unknown option '--'"},
        {"-x", "unknown option '-x'"},
        {"-jx", "unknown option '-x'"},
        {"--text", "an argument is missing after --text"},
        {"-jt", "an argument is missing after -t"},
        {"--json=yes", "--json takes no value"},
        {"--help=x", "--help takes no value"},
        {"--copy 12345678", "--copy takes WORD, not '12345678'"},
        {"--copy=", "--copy takes WORD, not ''"},
        {"--small 0", "--small takes a number from 1 to 65535, not '0'"},
        {"--small 65536", "--small takes a number from 1 to 65535, not '65536'"},
        {"--small +1", "--small takes a number from 1 to 65535, not '+1'"},
        {"--small 1x", "--small takes a number from 1 to 65535, not '1x'"},
        {"--middle 4294967296", "--middle takes a number from 0 to 4294967295, not '4294967296'"},
        {"--large 1", "--large takes a number from 2, not '1'"},
        {"--seconds -1", "--seconds takes a number of seconds, not '-1'"},
        {"--seconds inf", "--seconds takes a number of seconds, not 'inf'"},
        {"--period 0", "--period takes a number of seconds above 0, not '0'"},
        {"--choice three", "--choice takes none, one or two, not 'three'"},
        {"--kem 513", "--kem takes 512, 768, 1024 or xwing, not '513'"},
        {"--even 3", "--even takes an even number, not '3'"},
        {"--to 127.0.0.1:x", "--to: "},
        {"--to ::1 --to ::1 --to ::1", "--to may be given 2 times at most"},
        {"a b c", "'c' is one argument too many; quote it"},
    };
    target t;
    line l;
    char expected[200];
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        memset(&t, 0, sizeof t);
        assert_int_equal(parse(&command, mistakes[i].words, &t, &l), LARCH_EXIT_USAGE);
        const bool whole = mistakes[i].said[strlen(mistakes[i].said) - 1] != ' ';
        (void)snprintf(expected, sizeof expected, "larch test: %s%s", mistakes[i].said,
                       whole ? "\nTry 'larch test --help'.\n" : "");
        l.said[whole ? sizeof l.said - 1 : strlen(expected)] = '\0';
        assert_string_equal(l.said, expected);
        assert_string_equal(l.shown, "");
        assert_true(t.small == 0 && t.middle == 0 && t.large == 0 && t.kem == NULL && t.copy[0] == '\0' && !t.jumbo);
    }
}

static void test_a_name_that_is_not_found(void **state)
{
    target t = {.json = false};
    line l;
    (void)state;
    assert_int_equal(parse(&command, "--to nobody.invalid", &t, &l), LARCH_EXIT_FAILED);
    assert_non_null(strstr(l.said, "nobody.invalid"));
    assert_null(strstr(l.said, "--help"));
    assert_int_equal(t.peer_count, 0);
}

/* ---- help ------------------------------------------------------------------ */

static void test_help(void **state)
{
    static const char expected[] = "Usage: larch test [OPTION]... A B\n"
                                   "       larch test --json\n"
                                   "About it.\n"
                                   "\n"
                                   "Options:\n"
                                   "  -j, --json       a flag\n"
                                   "  -J, --jumbo      another\n"
                                   "  -t, --text TEXT  a text of which more can be said than one line of help can\n"
                                   "                   hold, so that it is continued below itself\n"
                                   "      --copy WORD  kept\n"
                                   "      --middle N   a number\n"
                                   "  -h, --help       print this help\n"
                                   "\n"
                                   "More of it.\n";
    target t = {.json = false};
    line l;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(parse(&command, (const char *[]){"--help", "-h --nonsense", "a -jh"}[i], &t, &l),
                         LARCH_EXIT_SHOWN);
        assert_string_equal(l.shown, expected);
        assert_string_equal(l.said, "");
    }
}

static void test_help_of_every_command(void **state)
{
#define ROW(name, holds_secrets) &larch_##name##_command,
    static const larch_command *const commands[] = {LARCH_APP_COMMANDS(ROW)};
#undef ROW
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const larch_command *c = commands[i];
        larch_writer measure = larch_writer_to(NULL, 0);
        larch_command_put_help(&measure, c, 80);
        assert_true(measure.len > 100);
        assert_true(c->option_count < 64 && c->operand_max <= LARCH_OPERANDS_MAX);
        for (size_t k = 0; k < c->option_count; k++) {
            const larch_option *o = &c->options[k];
            assert_true(o->text == NULL || (o->value != NULL) == larch_option_takes_value(o));
            assert_true(o->kind != LARCH_OPTION_CHOICE || o->choices != NULL);
            assert_true(o->kind != LARCH_OPTION_SETTER || (o->set != NULL && o->wants != NULL));
            for (size_t m = 0; m < k; m++)
                assert_string_not_equal(o->name, c->options[m].name);
        }
    }
}

/* ---- nearest ------------------------------------------------------------------ */

static void test_nearest(void **state)
{
    static const struct {
        const char *word;
        const char *name;
    } near[] = {{"gatewya", "gateway"},
                {"gatway", "gateway"},
                {"gaetwai", "gateway"},
                {"gate", "gateway"},
                {"sned", "send"},
                {"sendd", "send"},
                {"snd", "send"},
                {"kyes", "keys"},
                {"k", "keys"},
                {"nope", NULL},
                {"", NULL},
                {"x", NULL},
                {"sniffer", NULL},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        larch_nearest n = larch_nearest_to(near[i].word, strlen(near[i].word));
        larch_nearest_offer(&n, "gateway");
        larch_nearest_offer(&n, "send");
        larch_nearest_offer(&n, "keys");
        if (near[i].name == NULL)
            assert_null(larch_nearest_name(&n));
        else
            assert_string_equal(larch_nearest_name(&n), near[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),         cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_abbreviations), cmocka_unit_test(test_letters),
        cmocka_unit_test(test_operands),      cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_help),          cmocka_unit_test(test_a_name_that_is_not_found),
        cmocka_unit_test(test_nearest),       cmocka_unit_test(test_help_of_every_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
