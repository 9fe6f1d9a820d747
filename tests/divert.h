/* SPDX-License-Identifier: Apache-2.0 */
/* A standard file kept in text for a while. A program that includes this has included cmocka.h. */
#ifndef LARCH_TEST_DIVERT_H
#define LARCH_TEST_DIVERT_H

#include <stdio.h>
#include <unistd.h>

static inline int divert(int fd, FILE **file)
{
    const int before = dup(fd);
    *file = tmpfile();
    assert_non_null(*file);
    assert_true(before >= 0 && dup2(fileno(*file), fd) >= 0);
    return before;
}

static inline void restore(int fd, int before, FILE *file, char *text, size_t cap)
{
    assert_true(dup2(before, fd) >= 0);
    (void)close(before);
    rewind(file);
    text[fread(text, 1, cap - 1, file)] = '\0';
    (void)fclose(file);
}

#endif
