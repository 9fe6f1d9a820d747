/* SPDX-License-Identifier: Apache-2.0 */
/* Types that lwIP's headers name; nothing here uses them. */
#ifndef LARCH_SDK_LWIP_SYS_ARCH_H
#define LARCH_SDK_LWIP_SYS_ARCH_H

typedef void *sys_sem_t;
typedef void *sys_mutex_t;
typedef void *sys_mbox_t;
typedef void *sys_thread_t;
typedef uint32_t sys_prot_t;

#endif
