/* SPDX-License-Identifier: Apache-2.0 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extcap/ports.h"

static void add(larch_extcap_port *ports, size_t *count, const char *path, size_t len)
{
    static const char dev[] = "/dev/";
    larch_extcap_port *port = &ports[*count];
    if (*count == LARCH_EXTCAP_PORTS_MAX || len == 0 || len >= sizeof port->path)
        return;
    memcpy(port->path, path, len);
    port->path[len] = '\0';
    const char *rest = port->path;
    if (strncmp(rest, dev, sizeof dev - 1) == 0)
        rest += sizeof dev - 1;
    while (*rest == '/')
        rest++;
    if ((size_t)snprintf(port->name, sizeof port->name, "larch-%s", rest) >= sizeof port->name)
        return; /* a name that is cut could be another's */
    for (char *c = port->name; *c != '\0'; c++)
        if (strchr("/{} ", *c) != NULL)
            *c = '_'; /* {} delimit what Wireshark reads */
    ++*count;
}

/* The kernel has ttyS0 to ttyS3 whether or not there is hardware; type 0 is none. */
static bool is_there(const char *path)
{
    char name[128];
    int type = 1;
    const char *base = strrchr(path, '/') + 1;
    if (strncmp(base, "ttyS", 4) != 0)
        return true;
    (void)snprintf(name, sizeof name, "/sys/class/tty/%s/type", base);
    FILE *file = fopen(name, "r");
    if (file == NULL)
        return false;
    if (fscanf(file, "%d", &type) != 1) /* NOLINT(cert-err34-c): the kernel writes a small number */
        type = 0;
    (void)fclose(file);
    return type != 0;
}

size_t larch_extcap_ports_find(larch_extcap_port ports[LARCH_EXTCAP_PORTS_MAX])
{
    static const char *const patterns[] = {"/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyS[0-9]*"};
    size_t count = 0;
    const char *more = getenv(LARCH_EXTCAP_PORTS_ENV);
    while (more != NULL && *more != '\0') {
        const size_t len = strcspn(more, ":");
        add(ports, &count, more, len);
        more += len + (more[len] == ':' ? 1 : 0);
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            if (is_there(found.gl_pathv[k]))
                add(ports, &count, found.gl_pathv[k], strlen(found.gl_pathv[k]));
        globfree(&found);
    }
    return count;
}
