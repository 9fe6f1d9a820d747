/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP asks of an operating system; each object brings its own memory. Semaphores are for sockets alone, which are not
 * built. */
#ifndef LARCH_LWIP_SYS_ARCH_H
#define LARCH_LWIP_SYS_ARCH_H

#include "FreeRTOS.h"
#include "lwip/opt.h"
#include "queue.h"
#include "semphr.h"
#include "task.h"

typedef struct {
    SemaphoreHandle_t handle;
    StaticSemaphore_t memory;
} sys_mutex_t;
#define sys_mutex_valid(mutex)       ((mutex)->handle != NULL)
#define sys_mutex_set_invalid(mutex) ((mutex)->handle = NULL)

typedef struct {
    QueueHandle_t handle;
    StaticQueue_t memory;
    void *slots[TCPIP_MBOX_SIZE];
} sys_mbox_t;
#define sys_mbox_valid(mbox)       ((mbox)->handle != NULL)
#define sys_mbox_valid_val(mbox)   ((mbox).handle != NULL)
#define sys_mbox_set_invalid(mbox) ((mbox)->handle = NULL)

typedef void *sys_sem_t;
typedef TaskHandle_t sys_thread_t;

#define sys_msleep(ms) vTaskDelay(ms)

#endif
