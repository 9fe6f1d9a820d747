/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/judge/alert.h"

static const struct {
    const char *name;
    larch_sniff_severity severity;
    const char *meaning;
} kinds[] = {
#define KIND(id, name, severity, text) {(name), LARCH_SNIFF_##severity, (text)},
    LARCH_SNIFF_ALERTS(KIND)
#undef KIND
};

const char *larch_sniff_alert_name(larch_sniff_alert_kind kind) { return kinds[kind].name; }
larch_sniff_severity larch_sniff_alert_severity(larch_sniff_alert_kind kind) { return kinds[kind].severity; }
const char *larch_sniff_alert_meaning(larch_sniff_alert_kind kind) { return kinds[kind].meaning; }

const char *larch_sniff_severity_text(larch_sniff_severity severity)
{
#define SEVERITY(name, text) (text),
    static const char *const texts[] = {LARCH_SNIFF_SEVERITIES(SEVERITY)};
#undef SEVERITY
    return texts[severity];
}
