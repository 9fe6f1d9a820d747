/* SPDX-License-Identifier: Apache-2.0 */
/* What the standard output of a program may be: both ends of it. The includer asks for posix_openpt and cfmakeraw
 * (_GNU_SOURCE) before its first include, and has included cmocka.h. */
#ifndef TESTS_OUTPUT_ENDS_H
#define TESTS_OUTPUT_ENDS_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

typedef enum output_kind { PIPE, SOCKET, TERMINAL, OUTPUT_KINDS } output_kind;

/* Reading does not block. */
static inline void output_ends_make(output_kind kind, int *reader, int *end)
{
    int fds[2] = {-1, -1};
    if (kind == PIPE) {
        assert_int_equal(pipe(fds), 0);
    } else if (kind == SOCKET) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    } else {
        struct termios raw;
        fds[0] = posix_openpt(O_RDWR | O_NOCTTY);
        assert_true(fds[0] >= 0 && grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0);
        fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY);
        assert_int_equal(tcgetattr(fds[1], &raw), 0);
        cfmakeraw(&raw);
        assert_int_equal(tcsetattr(fds[1], TCSANOW, &raw), 0);
    }
    *reader = fds[0];
    *end = fds[1];
    assert_int_equal(fcntl(*reader, F_SETFL, O_NONBLOCK), 0);
}

#endif
