/* SPDX-License-Identifier: Apache-2.0 */
/* The SDK's own log. */
#ifndef LARCH_SDK_BLOG_H
#define LARCH_SDK_BLOG_H

void blog_init(void);

#endif
