/* SPDX-License-Identifier: Apache-2.0 */
/* Serial lines. data_send waits for room; data_recv: -1, nothing came. */
#ifndef LARCH_SDK_BL_UART_H
#define LARCH_SDK_BL_UART_H

#include <stdint.h>

typedef void (*cb_uart_notify_t)(void *arg);

int bl_uart_init(uint8_t id, uint8_t tx_pin, uint8_t rx_pin, uint8_t cts_pin, uint8_t rts_pin, uint32_t baudrate);
int bl_uart_data_send(uint8_t id, uint8_t data);
int bl_uart_data_recv(uint8_t id);
int bl_uart_int_enable(uint8_t id);
int bl_uart_int_rx_enable(uint8_t id);
int bl_uart_int_rx_disable(uint8_t id);
int bl_uart_int_tx_enable(uint8_t id);
int bl_uart_int_tx_disable(uint8_t id);
int bl_uart_int_rx_notify_register(uint8_t id, cb_uart_notify_t cb, void *arg);
int bl_uart_int_tx_notify_register(uint8_t id, cb_uart_notify_t cb, void *arg);

#endif
