# SPDX-License-Identifier: Apache-2.0
"""Stands for lakers, an EDHOC that Debian lacks. aiocoap's OSCORE imports it without a need: contexts are given here,
and whoever reaches for EDHOC gets an AttributeError."""
