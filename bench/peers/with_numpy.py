"""numpy: the busday functions. Hours are counted as those who need speed do it: so many business days
times the length of a day, and the time of day clipped to the hours, all of it vectorised, on the wall
clock, because numpy has no time zones. From and to the wall clock pandas converts, which is counted."""

import numpy as np
import pandas as pd

from questions import Questions

asked = Questions()
calendar = np.busdaycalendar(weekmask=asked.days, holidays=np.array(asked.holidays, dtype="datetime64[D]"))
opening, length = asked.open * 3600, (asked.close - asked.open) * 3600
origin = np.datetime64("1970-01-01")


def position(instants):
    """Business seconds since 1970."""
    wall = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(asked.zone).tz_localize(None)
    wall = wall.values.astype("datetime64[s]")
    day = wall.astype("datetime64[D]")
    into = np.clip((wall - day).astype(np.int64) - opening, 0, length)
    return np.busday_count(origin, day, busdaycal=calendar) * length \
        + np.where(np.is_busday(day, busdaycal=calendar), into, 0)


def add(instants):
    # One second less, and more again at the end: what is used up at closing time stays there.
    days, into = np.divmod(position(instants) + asked.amount - 1, length)
    day = np.busday_offset(origin, days, roll="forward", busdaycal=calendar)
    wall = pd.DatetimeIndex(day.astype("datetime64[s]") + (opening + into + 1))
    ends = wall.tz_localize(asked.zone, ambiguous=np.zeros(len(wall), bool), nonexistent=pd.Timedelta(hours=1))
    return ends.asi8 // 10 ** 9


def between(starts, ends):
    return position(ends) - position(starts)


def add_days(days):
    return np.busday_offset(days, asked.amount, roll="backward", busdaycal=calendar).astype(np.int64)


def count_days(starts, ends):
    return np.busday_count(starts, ends, busdaycal=calendar)


unit = "datetime64[D]" if asked.kind.endswith("days") else "datetime64[s]"
asked.answer(globals()[asked.kind], *(column.astype(unit) for column in asked.columns), rows=100000)
