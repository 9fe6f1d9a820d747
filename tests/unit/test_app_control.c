/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the control socket; the socket, the clients and the deadline over a loop of this process. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/control.h"
#include "gateway/control.h"
#include "local.h"
#include "system.h"
#include "temp_folder.h"

/* ---- lines --------------------------------------------------------------- */

static larch_bytes text_of(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

static void test_requests(void **state)
{
    static const struct {
        const char *line;
        larch_error error;
        size_t count;
        const char *last;
    } rows[] = {
        {"larch-control 1 rotate", LARCH_OK, 1, "rotate"},
        {"larch-control 1 a b c d e f g", LARCH_OK, 7, "g"},
        {"larch-control 1 a b c d e f g h", LARCH_MALFORMED, 0, ""},
        {"larch-control 2 rotate", LARCH_STATE, 0, ""},
        {"larch-control 2", LARCH_STATE, 0, ""},
        {"larch-control 1", LARCH_MALFORMED, 0, ""},
        {"larch-control", LARCH_MALFORMED, 0, ""},
        {"larch-control  1 rotate", LARCH_MALFORMED, 0, ""},
        {"larch-control 1  rotate", LARCH_MALFORMED, 0, ""},
        {"larch-control 1 rotate ", LARCH_MALFORMED, 0, ""},
        {" larch-control 1 rotate", LARCH_MALFORMED, 0, ""},
        {"larch-control 1 rotate\r", LARCH_MALFORMED, 0, ""},
        {"larch-control 1 rot\xc3\xa4te", LARCH_MALFORMED, 0, ""},
        {"GET / HTTP/1.1", LARCH_MALFORMED, 0, ""},
        {"", LARCH_MALFORMED, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_control_request request = {.count = 99};
        assert_int_equal(larch_control_parse_request(text_of(rows[i].line), &request), rows[i].error);
        assert_int_equal(request.count, rows[i].error == LARCH_OK ? rows[i].count : 99);
        if (rows[i].error == LARCH_OK)
            assert_true(larch_bytes_equal(request.word[request.count - 1], text_of(rows[i].last)));
    }
}

static void test_longest_request(void **state)
{
    char line[LARCH_CONTROL_LINE_MAX + 1] = "larch-control 1 ";
    larch_control_request request;
    (void)state;
    memset(line + strlen(line), 'x', sizeof line - strlen(line));
    assert_int_equal(
        larch_control_parse_request((larch_bytes){(const uint8_t *)line, LARCH_CONTROL_LINE_MAX - 1}, &request),
        LARCH_OK);
    assert_int_equal(
        larch_control_parse_request((larch_bytes){(const uint8_t *)line, LARCH_CONTROL_LINE_MAX}, &request),
        LARCH_MALFORMED);
}

static void test_replies(void **state)
{
    static const struct {
        const char *line;
        larch_error error;
        larch_control_kind kind;
        const char *text;
    } rows[] = {
        {"ok", LARCH_OK, LARCH_CONTROL_DONE, ""},
        {"+512 2 larch1:x", LARCH_OK, LARCH_CONTROL_DATA, "512 2 larch1:x"},
        {"+", LARCH_OK, LARCH_CONTROL_DATA, ""},
        {"no disk full", LARCH_OK, LARCH_CONTROL_REFUSED, "disk full"},
        {"", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"ok ", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"okay", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"no", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"no ", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"nothing", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"+\x1b[2J", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
        {"ok\nok", LARCH_MALFORMED, LARCH_CONTROL_DATA, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_control_reply reply = {.kind = LARCH_CONTROL_DATA, .text = {NULL, 99}};
        assert_int_equal(larch_control_parse_reply(text_of(rows[i].line), &reply), rows[i].error);
        if (rows[i].error != LARCH_OK) {
            assert_int_equal(reply.text.len, 99);
            continue;
        }
        assert_int_equal(reply.kind, rows[i].kind);
        assert_true(larch_bytes_equal(reply.text, text_of(rows[i].text)));
    }
}

static void test_put_request(void **state)
{
    uint8_t bytes[64];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    const larch_bytes words[] = {LARCH_TEXT("ask"), LARCH_TEXT("pump"), LARCH_TEXT("a b"), LARCH_TEXT("\xc3\xa4"),
                                 LARCH_TEXT("")};
    (void)state;
    assert_int_equal(larch_control_put_request(&w, words, 2), LARCH_OK);
    assert_true(larch_bytes_equal((larch_bytes){bytes, w.len}, LARCH_TEXT("larch-control 1 ask pump\n")));
    for (size_t i = 2; i < sizeof words / sizeof words[0]; i++)
        assert_int_equal(larch_control_put_request(&w, words + i, 1), LARCH_MALFORMED);
    assert_int_equal(larch_control_put_request(&w, words, 0), LARCH_MALFORMED);
    assert_int_equal(w.len, 25);
}

static void test_hex(void **state)
{
    static const struct {
        const char *word;
        bool fits;
        size_t len;
    } rows[] = {{"-", true, 0},    {"00ff", true, 2},     {"00FF", true, 2},       {"", false, 0},
                {"0", false, 0},   {"0g", false, 0},      {"g0", false, 0},        {"--", false, 0},
                {"000", false, 0}, {"01020304", true, 4}, {"0102030405", false, 0}};
    uint8_t out[4], text[16];
    size_t len;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(larch_control_take_hex(text_of(rows[i].word), out, sizeof out, &len), rows[i].fits);
        assert_int_equal(len, rows[i].len);
    }
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_control_put_hex(&w, (larch_bytes){(const uint8_t *)"\x01\xfe", 2});
    larch_control_put_hex(&w, (larch_bytes){NULL, 0});
    assert_true(larch_bytes_equal((larch_bytes){text, w.len}, LARCH_TEXT("01fe-")));
}

/* ---- the socket ---------------------------------------------------------- */

static larch_loop loop;
static gateway_control control;
static char path[TEMP_FOLDER_MAX];
static int folder = -1; /* open */
static unsigned runs;
static const char *refusal; /* what run refuses with; NULL: it does it */

static bool run(void *context, const larch_control_request *request, larch_writer *data,
                char why[LARCH_CONTROL_WHY_MAX])
{
    assert_ptr_equal(context, &runs);
    runs++;
    if (request->count == 2) {
        assert_true(larch_bytes_equal(request->word[1], LARCH_TEXT("x")));
        return true;
    }
    larch_control_put_data(data, "one");
    larch_control_put_data(data, "two\nthree");
    if (refusal != NULL)
        snprintf(why, LARCH_CONTROL_WHY_MAX, "%s", refusal);
    return refusal == NULL;
}

/* A request that takes its time. */
static gateway_control_client *waiting;
static unsigned left;

static bool begin(void *context, gateway_control_client *client, const larch_control_request *request,
                  char why[LARCH_CONTROL_WHY_MAX])
{
    assert_ptr_equal(context, &runs);
    if (larch_bytes_equal(request->word[1], LARCH_TEXT("never"))) {
        snprintf(why, LARCH_CONTROL_WHY_MAX, "not now");
        return false;
    }
    waiting = client;
    return true;
}

static void leave(void *context, gateway_control_client *client)
{
    assert_ptr_equal(context, &runs);
    assert_ptr_equal(client, waiting);
    waiting = NULL;
    left++;
}

static const gateway_control_verb verbs[] = {
    {.name = "count", .arguments = 0, .context = &runs, .run = run},
    {.name = "count-with", .arguments = 1, .context = &runs, .run = run},
    {.name = "wait", .arguments = 1, .context = &runs, .begin = begin, .left = leave}};

static int set_up(void **state)
{
    larch_posix_reason why;
    (void)state;
    assert_true(temp_folder_make(path));
    folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    runs = left = 0;
    refusal = NULL;
    waiting = NULL;
    larch_loop_init(&loop, NULL, NULL);
    assert_int_equal(gateway_control_open(&control, folder, verbs, 3, &why), 0);
    assert_int_equal(gateway_control_watch(&control, &loop), LARCH_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gateway_control_close(&control);
    close(folder);
    return temp_folder_remove(path);
}

static void run_for(unsigned ms) { (void)larch_loop_run_until(&loop, larch_posix_now_ms() + ms); }

static int connect_to(void)
{
    const int fd = larch_local_connect(folder, LARCH_CONTROL_NAME, 10);
    assert_true(fd >= 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All until the end, which must be there. */
static void expect(int fd, const char *reply)
{
    char got[LARCH_CONTROL_REPLY_MAX + 1] = "";
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, got + len, sizeof got - 1 - len, 0)) > 0)
        len += (size_t)n;
    assert_true(n == 0 || errno == ECONNRESET); /* reset: it left before it had read all */
    got[len] = '\0';
    assert_string_equal(got, reply);
    close(fd);
}

static void ask(const char *request, const char *reply)
{
    const int fd = connect_to();
    say(fd, request);
    run_for(10);
    expect(fd, reply);
}

static void test_socket_file(void **state)
{
    struct stat st;
    larch_posix_reason why;
    (void)state;
    assert_int_equal(fstatat(folder, LARCH_CONTROL_NAME, &st, 0), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    gateway_control_close(&control);
    assert_int_equal(fstatat(folder, LARCH_CONTROL_NAME, &st, 0), -1);
    assert_int_equal(larch_local_connect(folder, LARCH_CONTROL_NAME, 10), -1);
    assert_int_equal(errno, ENOENT);

    /* What a killed gateway leaves is nobody's, and in nobody's way. */
    const int abandoned = larch_local_listen(folder, LARCH_CONTROL_NAME, &why);
    assert_true(abandoned >= 0);
    close(abandoned);
    assert_int_equal(larch_local_connect(folder, LARCH_CONTROL_NAME, 10), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(gateway_control_open(&control, folder, verbs, 3, &why), 0);
    assert_int_equal(gateway_control_watch(&control, &loop), LARCH_OK);
    ask("larch-control 1 count\n", "+one\n+two?three\nok\n");

    gateway_control_close(&control);
    assert_int_equal(mkdirat(folder, LARCH_CONTROL_NAME, 0700), 0);
    assert_int_equal(gateway_control_open(&control, folder, verbs, 3, &why), -1);
    assert_string_equal(why.text, "control: Is a directory");
    assert_int_equal(unlinkat(folder, LARCH_CONTROL_NAME, AT_REMOVEDIR), 0);
}

static void test_answers(void **state)
{
    (void)state;
    ask("larch-control 1 count\n", "+one\n+two?three\nok\n");
    ask("larch-control 1 count-with x\n", "ok\n");
    assert_int_equal(runs, 2);
}

static void test_refusals(void **state)
{
    char longest[LARCH_CONTROL_LINE_MAX + 1];
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ask("larch-control 1 count x\n", "no the request has not the words that it needs\n");
    ask("larch-control 1 count-with\n", "no the request has not the words that it needs\n");
    ask("larch-control 1 counts\n", "no the gateway does not know this request\n");
    ask("larch-control 2 count\n", "no the gateway is of another version than the command\n");
    ask("count\n", "no this is no request\n");
    ask("\n", "no this is no request\n");
    ask("larch-control 1 count\nlarch-control 1 count\n", "no a connection carries one request\n");
    ask(longest, "no the request is too long\n");
    assert_int_equal(runs, 0);
    refusal = "the disk is full";
    ask("larch-control 1 count\n", "+one\n+two?three\nno the disk is full\n");
    assert_int_equal(runs, 1);
}

static void test_pieces(void **state)
{
    const int fd = connect_to();
    (void)state;
    for (const char *c = "larch-control 1 count\n"; *c != '\0'; c++) {
        assert_int_equal(runs, 0);
        say(fd, (const char[]){*c, '\0'});
        run_for(1);
    }
    expect(fd, "+one\n+two?three\nok\n");
}

/* A client that says nothing, or half of it, is left after its deadline; others get its place. */
static void test_slow_clients(void **state)
{
    int slow[GATEWAY_CONTROL_CLIENTS];
    (void)state;
    for (size_t i = 0; i < GATEWAY_CONTROL_CLIENTS; i++) {
        slow[i] = connect_to();
        say(slow[i], i % 2 == 0 ? "" : "larch-control 1 cou");
        run_for(1);
    }
    const int late = connect_to();
    say(late, "larch-control 1 count\n");
    run_for(100);
    assert_int_equal(runs, 0);
    run_for(2100);
    assert_int_equal(runs, 1);
    expect(late, "+one\n+two?three\nok\n");
    for (size_t i = 0; i < GATEWAY_CONTROL_CLIENTS; i++)
        expect(slow[i], "");
}

static void test_client_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * GATEWAY_CONTROL_CLIENTS; i++) {
        const int fd = connect_to();
        say(fd, "larch-control 1 cou");
        run_for(1);
        close(fd);
        run_for(1);
    }
    const int gone = connect_to(); /* before its reply */
    say(gone, "larch-control 1 count\n");
    close(gone);
    run_for(10);
    ask("larch-control 1 count\n", "+one\n+two?three\nok\n");
    assert_int_equal(runs, 2);
}

/* ---- requests that take their time ------------------------------------------- */

static void test_later(void **state)
{
    (void)state;
    ask("larch-control 1 wait never\n", "no not now\n");
    const int fd = connect_to();
    say(fd, "larch-control 1 wait x\n");
    run_for(10);
    assert_non_null(waiting);
    run_for(2100); /* past the deadline for a request */
    assert_non_null(waiting);
    assert_true(gateway_control_put(waiting, "one"));
    run_for(5);
    assert_true(gateway_control_put(waiting, "two"));
    gateway_control_finish(waiting, NULL);
    expect(fd, "+one\n+two\nok\n");
    const int refused = connect_to();
    say(refused, "larch-control 1 wait x\n");
    run_for(10);
    gateway_control_finish(waiting, "it failed");
    expect(refused, "no it failed\n");
    assert_int_equal(left, 0);
}

static void test_leaves_later(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const int fd = connect_to();
        say(fd, "larch-control 1 wait x\n");
        run_for(10);
        assert_non_null(waiting);
        if (i == 1)
            say(fd, "more\n"); /* it gives up its place as well */
        else
            close(fd);
        run_for(10);
        assert_null(waiting);
        assert_int_equal(left, i + 1);
        if (i == 1)
            close(fd);
    }
}

/* One that reads nothing is left, once its socket is full. */
static void test_reads_nothing(void **state)
{
    static char text[4000];
    const int fd = connect_to();
    unsigned lines = 0;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    say(fd, "larch-control 1 wait x\n");
    run_for(10);
    while (waiting != NULL && gateway_control_put(waiting, text))
        assert_true(++lines < 1000);
    assert_true(lines > 10);
    assert_null(waiting);
    assert_int_equal(left, 1);
    close(fd);
    const int last = connect_to(); /* and the end of the gateway ends it */
    say(last, "larch-control 1 wait x\n");
    run_for(10);
    gateway_control_close(&control);
    assert_int_equal(left, 2);
    expect(last, "");
}

static larch_loop_timer answering;

static void answer_later(larch_loop_timer *timer)
{
    (void)timer;
    if (waiting == NULL) {
        larch_loop_arm_timer(&loop, &answering, larch_posix_now_ms() + 1);
        return;
    }
    (void)gateway_control_put(waiting, "a line");
    gateway_control_finish(waiting, NULL);
}

/* The client's part, whose gateway is a process of its own. */
static void test_client(void **state)
{
    static larch_control_client client;
    const larch_bytes words[] = {LARCH_TEXT("wait"), LARCH_TEXT("x")}, bad[] = {LARCH_TEXT("two words")};
    larch_control_reply reply;
    (void)state;
    assert_int_equal(larch_control_begin(&client, folder, bad, 1), LARCH_MALFORMED);
    assert_int_equal(larch_control_begin(&client, folder, words, 2), LARCH_OK);
    assert_int_equal(larch_control_next(&client, larch_posix_now_ms() + 10, &reply), LARCH_TIMEOUT);
    answering = (larch_loop_timer){.due = answer_later};
    larch_loop_arm_timer(&loop, &answering, larch_posix_now_ms());
    run_for(20);
    assert_int_equal(larch_control_next(&client, UINT64_MAX, &reply), LARCH_OK);
    assert_int_equal(reply.kind, LARCH_CONTROL_DATA);
    assert_true(larch_bytes_equal(reply.text, LARCH_TEXT("a line")));
    assert_int_equal(larch_control_next(&client, UINT64_MAX, &reply), LARCH_OK);
    assert_int_equal(reply.kind, LARCH_CONTROL_DONE);
    assert_int_equal(larch_control_next(&client, UINT64_MAX, &reply), LARCH_MALFORMED); /* nothing follows */
    larch_control_end(&client);
    gateway_control_close(&control);
    assert_int_equal(larch_control_begin(&client, folder, words, 2), LARCH_STATE);
}

/* The folder's path is longer than an address of a socket is. */
static void test_deep_folder(void **state)
{
    char name[100];
    int at = folder;
    larch_posix_reason why;
    (void)state;
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(mkdirat(at, name, 0700), 0);
        at = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(at >= 0);
    }
    const int listener = larch_local_listen(at, LARCH_CONTROL_NAME, &why);
    assert_true(listener >= 0);
    const int fd = larch_local_connect(at, LARCH_CONTROL_NAME, 10);
    assert_true(fd >= 0);
    bool is_allowed = false;
    const int accepted = larch_local_accept(listener, &is_allowed);
    assert_true(accepted >= 0 && is_allowed);
    assert_int_equal(larch_local_accept(listener, &is_allowed), -1);
    assert_int_equal(errno, EAGAIN);
    memset(name, 'n', sizeof name - 1);
    assert_int_equal(larch_local_connect(at, name, 10), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    close(accepted);
    close(fd);
    close(listener);
}

int main(void)
{
#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_longest_request),
        cmocka_unit_test(test_replies),  cmocka_unit_test(test_put_request),
        cmocka_unit_test(test_hex),      WITH_SOCKET(test_later),
        WITH_SOCKET(test_leaves_later),  WITH_SOCKET(test_reads_nothing),
        WITH_SOCKET(test_client),        WITH_SOCKET(test_socket_file),
        WITH_SOCKET(test_answers),       WITH_SOCKET(test_refusals),
        WITH_SOCKET(test_pieces),        WITH_SOCKET(test_slow_clients),
        WITH_SOCKET(test_client_leaves), WITH_SOCKET(test_deep_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
