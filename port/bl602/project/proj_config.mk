# SPDX-License-Identifier: Apache-2.0
# The SDK's settings: 2 MB of flash, no Bluetooth, no aggregation on the air, no log of any component.
CONFIG_BOARD_FLASH_SIZE := 2
CONFIG_BL_IOT_FW_AP := 1
CONFIG_BL_IOT_FW_AMPDU := 0
CONFIG_BL_IOT_FW_AMSDU := 0
CONFIG_BL_IOT_FW_P2P := 0
CONFIG_FREERTOS_TICKLESS_MODE := 0
CONFIG_BT := 0
LOG_ENABLED_COMPONENTS :=
