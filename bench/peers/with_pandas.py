"""pandas: CustomBusinessHour and CustomBusinessDay, added to a whole index at once, which pandas does row by
row inside. It has no function for the business time between two instants: the usual answer is the length
of a range of business hours, so whole hours."""

import warnings

import numpy as np
import pandas as pd

from questions import Questions, cannot

warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
asked = Questions()
weekmask = " ".join(name for name, digit in zip("Mon Tue Wed Thu Fri Sat Sun".split(), asked.days) if digit == "1")


def hours(n):
    try:
        return pd.offsets.CustomBusinessHour(n, start="%02d:00" % asked.open, end="%02d:00" % (asked.close % 24),
                                             weekmask=weekmask, holidays=asked.holidays)
    except ValueError:
        cannot("a day of 24 hours is refused")


def each_or_error(work):
    """The work on a whole slice or, where pandas raises an error, row by row with -2 for the rows in question."""
    def safe(*columns):
        try:
            return work(*columns)
        except Exception:
            if len(columns[0]) == 1:
                return [-2]
            return np.concatenate([safe(*(column[n:n + 1] for column in columns)) for n in range(len(columns[0]))])
    return safe


def add(instants):
    return (instants + offset).asi8 // 10 ** 9


def between(starts, ends):
    return [3600 * max(len(pd.date_range(starts[0], ends[0], freq=offset)) - 1, 0)]


def add_days(days):
    return (days + offset).values.astype("datetime64[D]").astype(np.int64)


if asked.kind == "count_days":
    cannot("people use numpy's function")
elif asked.kind == "add_days":
    offset = pd.offsets.CustomBusinessDay(asked.amount, weekmask=weekmask, holidays=asked.holidays)
    columns = [pd.DatetimeIndex(column.astype("datetime64[D]")) for column in asked.columns]
else:
    offset = hours(asked.amount // 3600 if asked.kind == "add" else 1)
    columns = [pd.to_datetime(column, unit="s", utc=True).tz_convert(asked.zone) for column in asked.columns]
asked.answer(each_or_error(globals()[asked.kind]), *columns, rows=1 if asked.kind == "between" else 200)
