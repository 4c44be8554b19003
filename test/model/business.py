"""Business time by a list of all open stretches.

Opening hours are windows of a weekday in minutes after midnight, holidays are dates on which no window
begins. The stretches of some years are written out; every question is a look into that list.

Instants are microseconds since 1970-01-01 UTC.
"""

import bisect
import datetime
import functools
import itertools
import zoneinfo

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)
SECOND = 1000000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def instant(moment):
    return (moment - EPOCH) // MICROSECOND


def moment(at):
    return EPOCH + at * MICROSECOND


class OutOfSight(Exception):
    """The answer lies beyond the years that were written out."""


@functools.lru_cache(maxsize=None)
def zone(name):
    return zoneinfo.ZoneInfo(name)


@functools.lru_cache(maxsize=None)
def of_wall_clock(date, microseconds, name):
    """A time that does not exist moves on by the gap, one that exists twice is the later."""
    naive = datetime.datetime.combine(date, datetime.time()) + microseconds * MICROSECOND
    return max(instant(naive.replace(tzinfo=zone(name), fold=fold)) for fold in (0, 1))


@functools.lru_cache(maxsize=None)
def stretches_of(zone_name, windows, years):
    """All that opens in some years if there are no holidays, in order, with the day on which it begins."""
    windows = dict(windows)
    stretches = []
    day = datetime.date(years[0], 1, 1)
    while day.year <= years[1]:
        for start, end in windows.get(day.weekday(), ()):
            stretches.append((of_wall_clock(day, start * MINUTE, zone_name), of_wall_clock(day, end * MINUTE, zone_name), day))
        day += datetime.timedelta(days=1)
    return sorted(s for s in stretches if s[0] < s[1])


class Calendar:
    """What is open in the years from first to last."""

    def __init__(self, zone_name, windows, holidays, years):
        self.zone = zone_name
        self.years = years
        self.opens = []
        self.closes = []
        for start, end, day in stretches_of(zone_name, tuple((d, tuple(w)) for d, w in windows.items()), years):
            if day in holidays:
                continue
            if self.closes and start <= self.closes[-1]:
                self.closes[-1] = max(end, self.closes[-1])
            else:
                self.opens.append(start)
                self.closes.append(end)
        self.sums = [0, *itertools.accumulate(end - start for start, end in zip(self.opens, self.closes))]

    def seen(self, at):
        if not self.years[0] < moment(at).year < self.years[1]:
            raise OutOfSight(moment(at))
        return at

    def open_before(self, at):
        i = bisect.bisect_right(self.opens, self.seen(at)) - 1
        return 0 if i < 0 else self.sums[i] + min(at, self.closes[i]) - self.opens[i]

    def between(self, start, end):
        return self.open_before(end) - self.open_before(start)

    def is_open(self, at):
        i = bisect.bisect_right(self.opens, at) - 1
        return i >= 0 and at < self.closes[i]

    def add(self, at, amount):
        """The first instant from at on before which so much was open."""
        if amount == 0:
            return at
        goal = self.open_before(at) + amount
        i = bisect.bisect_left(self.sums, goal) - 1
        if i >= len(self.opens):
            raise OutOfSight(moment(at))
        return self.opens[i] + goal - self.sums[i]

    def date_of(self, at):
        return moment(at).astimezone(zone(self.zone)).date()

    def open_on(self, date):
        """The stretches within a local date."""
        start = of_wall_clock(date, 0, self.zone)
        end = of_wall_clock(date + datetime.timedelta(days=1), 0, self.zone)
        i = max(bisect.bisect_right(self.opens, start) - 1, 0)
        found = []
        while i < len(self.opens) and self.opens[i] < end:
            if self.closes[i] > start:
                found.append((max(self.opens[i], start), min(self.closes[i], end)))
            i += 1
        return found

    def add_days(self, at, days):
        """So many business days later at the same time of the day."""
        if days == 0:
            return at
        if not self.is_open(at):
            i = bisect.bisect_right(self.opens, at)
            at = self.opens[i]
        local = moment(at).astimezone(zone(self.zone))
        date = local.date()
        wall = ((local.hour * 60 + local.minute) * 60 + local.second) * SECOND + local.microsecond
        while days > 0:
            date += datetime.timedelta(days=1)
            days -= bool(self.open_on(date))
        wanted = of_wall_clock(date, wall, self.zone)
        pieces = self.open_on(date)
        for start, end in pieces:
            if start <= wanted < end:
                return wanted
        later = [start for start, _ in pieces if start > wanted]
        return later[0] if later else pieces[-1][1]

    def add_goal(self, at, goal):
        """When a goal of (business days, microseconds) is used up."""
        days, amount = goal
        return self.add(self.add_days(at, days), amount)
