/* SPDX-License-Identifier: Apache-2.0 */
#include "text/text.h"

static uint64_t unit_of(larch_text_precision precision) { return precision == LARCH_TEXT_MS ? 1000 : 1000000; }

/* Before 1970 it is 1970. */
static uint64_t seconds_of(int64_t time, larch_text_precision precision)
{
    return time < 0 ? 0 : (uint64_t)time / unit_of(precision);
}

void larch_text_put_clock(larch_writer *w, int64_t time, larch_text_precision precision)
{
    const uint64_t seconds = seconds_of(time, precision);
    larch_text_put_digits(w, seconds / 3600 % 24, 10, 2);
    larch_writer_put_u8(w, ':');
    larch_text_put_digits(w, seconds / 60 % 60, 10, 2);
    larch_writer_put_u8(w, ':');
    larch_text_put_digits(w, seconds % 60, 10, 2);
    larch_writer_put_u8(w, '.');
    larch_text_put_digits(w, time < 0 ? 0 : (uint64_t)time % unit_of(precision), 10, (unsigned)precision);
}

/* The civil date of a day counted from 1970-01-01, by 400-year eras that begin in March: gmtime_r
 * would do, but for its error case. */
void larch_text_put_time(larch_writer *w, int64_t time, larch_text_precision precision)
{
    uint64_t days = seconds_of(time, precision) / 86400 + 719468; /* since 0000-03-01 */
    uint64_t era = days / 146097;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    larch_text_put_digits(w, era * 400 + year_of_era + (month <= 2), 10, 4);
    larch_writer_put_u8(w, '-');
    larch_text_put_digits(w, month, 10, 2);
    larch_writer_put_u8(w, '-');
    larch_text_put_digits(w, day_of_year - (153 * month_from_march + 2) / 5 + 1, 10, 2);
    larch_writer_put_u8(w, 'T');
    larch_text_put_clock(w, time, precision);
    larch_writer_put_u8(w, 'Z');
}
