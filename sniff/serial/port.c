/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "sniff/serial/port.h"

#define TELL_WAIT_MS 1000

static const struct {
    unsigned long baud;
    speed_t speed;
} speeds[] = {{9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
              {230400, B230400},   {460800, B460800},   {500000, B500000},   {576000, B576000},   {921600, B921600},
              {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000},
              {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000}};

static bool speed_of(unsigned long baud, speed_t *out)
{
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (speeds[i].baud == baud) {
            *out = speeds[i].speed;
            return true;
        }
    }
    return false;
}

static const char *hint_of(int error)
{
    switch (error) {
    case EACCES:
        return "serial ports are for the group dialout: sudo adduser \"$USER\" dialout, then log in anew";
    case EBUSY:
        return "one program alone can read a serial port, or each gets a part of the frames: end the other one, which\n"
               "`fuser -v PORT` names";
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "is the board plugged in? `larch extcap --extcap-interfaces` lists the serial ports";
    default:
        return "";
    }
}

static larch_error fail(larch_sniff_trouble *trouble, const char *path, int error)
{
    (void)snprintf(trouble->text, sizeof trouble->text, "%s: %s", path,
                   error == EBUSY ? "another program reads it" : strerror(error));
    trouble->hint = hint_of(error);
    return LARCH_PLATFORM;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        const int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool make_raw(int fd, speed_t speed)
{
    struct termios t;
    if (tcgetattr(fd, &t) != 0)
        return false;
    t.c_iflag = 0;
    t.c_oflag = 0;
    t.c_lflag = 0;
    t.c_cflag = CS8 | CREAD | CLOCAL;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    return cfsetispeed(&t, speed) == 0 && cfsetospeed(&t, speed) == 0 && tcsetattr(fd, TCSANOW, &t) == 0;
}

/* Bytes go to whoever reads first, so two readers of a line or a FIFO would each get a part. The lock keeps out programs
 * that look for it, root's among them; TIOCEXCL keeps out all others that are not root's. */
static bool claim(int fd, bool terminal)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        errno = EBUSY;
        return false;
    }
    return !terminal || ioctl(fd, TIOCEXCL) == 0;
}

larch_error larch_sniff_port_open(larch_sniff_port *port, const char *path, unsigned long baud,
                                  larch_sniff_trouble *trouble)
{
    struct stat is;
    speed_t speed;
    if (!speed_of(baud, &speed)) {
        (void)snprintf(trouble->text, sizeof trouble->text, "no serial port here knows %lu baud", baud);
        trouble->hint = "the board's line has 2000000";
        return LARCH_SPACE;
    }
    if (stat(path, &is) != 0)
        return fail(trouble, path, errno);
    /* A FIFO's first opening waits for its writer; a device's must not wait for a carrier. */
    const int flags = S_ISCHR(is.st_mode) ? O_RDWR | O_NOCTTY | O_NONBLOCK : O_RDONLY;
    const int fd = S_ISSOCK(is.st_mode) ? connect_to(path) : open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return fail(trouble, path, errno);
    const bool terminal = isatty(fd) == 1;
    if (((terminal || S_ISFIFO(is.st_mode)) && !claim(fd, terminal)) || (terminal && !make_raw(fd, speed)) ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
        const int error = errno;
        (void)close(fd);
        return fail(trouble, path, error);
    }
    port->fd = fd;
    port->exclusive = terminal;
    port->two_ways = terminal || S_ISSOCK(is.st_mode);
    port->may_end = !port->two_ways;
    return LARCH_OK;
}

static larch_error gone(larch_sniff_trouble *trouble, const char *why)
{
    (void)snprintf(trouble->text, sizeof trouble->text, "the serial line is gone (%s)", why);
    trouble->hint = "was the cable unplugged, or the board switched off?";
    return LARCH_PLATFORM;
}

larch_error larch_sniff_port_read(larch_sniff_port *port, uint8_t *out, size_t cap, size_t *len,
                                  larch_sniff_trouble *trouble)
{
    *len = 0;
    const ssize_t n = read(port->fd, out, cap);
    if (n > 0) {
        *len = (size_t)n;
        return LARCH_OK;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return LARCH_AGAIN;
    if (n == 0 && port->may_end)
        return LARCH_SPENT;
    return gone(trouble, n == 0 ? "hung up" : strerror(errno));
}

larch_error larch_sniff_port_tell(larch_sniff_port *port, const char *text)
{
    char line[64];
    const int made = snprintf(line, sizeof line, "%s\n", text);
    if (!port->two_ways)
        return LARCH_STATE;
    if (made < 0 || (size_t)made >= sizeof line)
        return LARCH_SPACE;
    for (size_t done = 0; done < (size_t)made;) {
        struct pollfd ready = {.fd = port->fd, .events = POLLOUT};
        const ssize_t n = write(port->fd, line + done, (size_t)made - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR && (errno != EAGAIN || poll(&ready, 1, TELL_WAIT_MS) <= 0))
            return LARCH_PLATFORM;
    }
    return LARCH_OK;
}

void larch_sniff_port_close(larch_sniff_port *port)
{
    if (port->fd >= 0 && port->exclusive)
        (void)ioctl(port->fd, TIOCNXCL); /* it would last as long as anybody has the port open */
    if (port->fd >= 0)
        (void)close(port->fd);
    port->fd = -1;
}
