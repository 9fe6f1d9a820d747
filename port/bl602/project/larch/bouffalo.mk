# SPDX-License-Identifier: Apache-2.0
# The component that is larch's object, which the Makefile above makes.
COMPONENT_LIB_ONLY := 1
COMPONENT_ADD_LDFLAGS += $(LARCH_OBJECT)
COMPONENT_ADD_LINKER_DEPS := $(LARCH_OBJECT)
