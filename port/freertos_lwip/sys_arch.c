/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's tasks, mutex and mailbox on FreeRTOS; the names are lwIP's. A tick is a millisecond. */
#include "lwip/sys.h"
#include "lwip/tcpip.h"

#include "stacks.h"

void sys_init(void) {}

u32_t sys_now(void) { return xTaskGetTickCount(); }

/* ---- the core lock ------------------------------------------------------- */

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    mutex->handle = xSemaphoreCreateMutexStatic(&mutex->memory);
    return ERR_OK;
}

void sys_mutex_lock(sys_mutex_t *mutex) { (void)xSemaphoreTake(mutex->handle, portMAX_DELAY); }
void sys_mutex_unlock(sys_mutex_t *mutex) { (void)xSemaphoreGive(mutex->handle); }

/* ---- the TCP/IP task's mailbox ------------------------------------------- */

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    if (size > TCPIP_MBOX_SIZE)
        return ERR_MEM;
    mbox->handle = xQueueCreateStatic(TCPIP_MBOX_SIZE, sizeof(void *), (uint8_t *)mbox->slots, &mbox->memory);
    return ERR_OK;
}

void sys_mbox_post(sys_mbox_t *mbox, void *message) { (void)xQueueSend(mbox->handle, &message, portMAX_DELAY); }

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message)
{
    return xQueueSend(mbox->handle, &message, 0) == pdTRUE ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message)
{
    BaseType_t wake = pdFALSE;
    const err_t error = xQueueSendFromISR(mbox->handle, &message, &wake) == pdTRUE ? ERR_OK : ERR_MEM;
    portYIELD_FROM_ISR(wake);
    return error;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t timeout_ms)
{
    return xQueueReceive(mbox->handle, message, timeout_ms == 0 ? portMAX_DELAY : timeout_ms) == pdTRUE
               ? 0
               : SYS_ARCH_TIMEOUT;
}

/* ---- its task ------------------------------------------------------------ */

/* The only one that lwIP ever asks for. */
sys_thread_t sys_thread_new(const char *name, lwip_thread_fn code, void *argument, int stack_size, int priority)
{
    static StaticTask_t task;
    LARCH_PORT_STACK(stack, TCPIP_THREAD_STACKSIZE);
    configASSERT(stack_size == sizeof stack.words);
    const sys_thread_t handle = xTaskCreateStatic(code, name, LARCH_PORT_STACK_WORDS(stack), argument,
                                                  (UBaseType_t)priority, stack.words, &task);
    larch_port_stack_add(name, stack.words, LARCH_PORT_STACK_WORDS(stack));
    larch_port_stacks_guard();
    return handle;
}
