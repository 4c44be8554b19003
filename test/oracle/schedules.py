"""Random schedules, each with its meaning.

A schedule is made as a structure: a list of rules, each with selectors, windows and a state. The
structure is printed in the opening hours notation for the extension to read, and is asked directly
which windows a date has. Nothing here reads the notation.

Dates are days since 2000-01-01, windows are seconds after the date's midnight, years are
astronomical (0 is 1 BC).
"""

DAY = 86400
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


# The proleptic Gregorian calendar -------------------------------------------------------------------

def leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_of(year, month, day):
    """Days since 2000-01-01; a day past the month's end runs on into the next month."""
    before = year - 1
    total = 365 * before + before // 4 - before // 100 + before // 400
    for m in range(1, month):
        total += MONTH_DAYS[m - 1] - (1 if m == 2 and not leap(year) else 0)
    return total + day - 1 - 730119  # 2000-01-01 is day 730119 after 0001-01-01


def civil(number):
    """(year, month, day) of days since 2000-01-01."""
    year = 2000 + number * 400 // 146097
    while day_of(year, 1, 1) > number:
        year -= 1
    while day_of(year + 1, 1, 1) <= number:
        year += 1
    rest = number - day_of(year, 1, 1)
    month = 1
    while True:
        length = MONTH_DAYS[month - 1] - (1 if month == 2 and not leap(year) else 0)
        if rest < length:
            return year, month, rest + 1
        rest -= length
        month += 1


def weekday(number):
    return (number + 5) % 7  # 2000-01-01 was a Saturday


def easter(year):
    """Easter Sunday by the lunar tables themselves: epact, then the full moon, then the Sunday.

    Easter repeats after 5,700,000 years only. Before 1583 and after 4099 a year has, by definition,
    the Easter of the year 400, 800, ... years nearer.
    """
    if not 1583 <= year <= 4099:
        near = 1583 + (year - 1583) % 400 if year < 1583 else 4099 - (4099 - year) % 400
        return easter(near) - day_of(near, 1, 1) + day_of(year, 1, 1)
    golden = year % 19 + 1
    century = year // 100 + 1
    omitted_leap_days = 3 * century // 4 - 12
    moon_correction = (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - omitted_leap_days - 10
    epact = (11 * golden + 20 + moon_correction - omitted_leap_days) % 30
    if epact == 24 or (epact == 25 and golden > 11):
        epact += 1
    moon = 44 - epact
    if moon < 21:
        moon += 30
    return day_of(year, 3, 1) + moon + 7 - (sunday + moon) % 7 - 1


class Date:
    """A date with what rules ask of it, computed once."""

    def __init__(self, number, holiday):
        self.number = number
        self.year, self.month, self.day = civil(number)
        self.weekday = weekday(number)
        self.holiday = holiday

    @property
    def week(self):
        thursday = self.number - self.weekday + 3
        return (thursday - day_of(civil(thursday)[0], 1, 1)) // 7 + 1


# Selectors: text, a test, and the years beyond which they cannot match ---------------------------------

class Selector:
    def __init__(self, text, matches, years=None):
        self.text = text
        self.matches = matches
        self.years = years      # (first, last) of the years in which it can match, or None for all


def between(value, first, last):
    """Is value in a range that may run over the end and start again?"""
    return first <= value <= last if first <= last else value >= first or value <= last


def offset_text(days):
    if days == 0:
        return "easter"
    return "easter %s%d day%s" % ("+" if days > 0 else "-", abs(days), "" if abs(days) == 1 else "s")


def make_month(rng):
    first = rng.randint(1, 12)
    if rng.random() < 0.4:
        return Selector(MONTHS[first - 1], lambda d: d.month == first)
    last = rng.randint(1, 12)
    if last == first:
        last = first % 12 + 1
    return Selector("%s-%s" % (MONTHS[first - 1], MONTHS[last - 1]),
                    lambda d: between(d.month, first, last))


def random_day(rng):
    month = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 12))
    top = MONTH_DAYS[month - 1]
    return month, rng.choice((1, 2, top - 1, top, rng.randint(1, top), rng.randint(1, top)))


def make_date(rng):
    month, day = random_day(rng)
    return Selector("%s %02d" % (MONTHS[month - 1], day),
                    lambda d: (d.month, d.day) == (month, day))


def make_date_range(rng):
    first = random_day(rng)
    if rng.random() < 0.5 and first[1] < MONTH_DAYS[first[0] - 1]:
        last = (first[0], rng.randint(first[1] + 1, MONTH_DAYS[first[0] - 1]))
        text = "%s %02d-%02d" % (MONTHS[first[0] - 1], first[1], last[1])
    else:
        last = random_day(rng)
        if last == first:
            last = (first[0] % 12 + 1, 1)
        text = "%s %02d-%s %02d" % (MONTHS[first[0] - 1], first[1], MONTHS[last[0] - 1], last[1])
    return Selector(text, lambda d: between((d.month, d.day), first, last))


def make_easter(rng):
    first = rng.choice((-48, -3, -2, -1, 0, 0, 1, 1, 39, 50, rng.randint(-60, 60)))
    if rng.random() < 0.5:
        return Selector(offset_text(first), lambda d: d.number == easter(d.year) + first)
    last = first + rng.randint(1, 12)
    return Selector("%s-%s" % (offset_text(first), offset_text(last)),
                    lambda d: first <= d.number - easter(d.year) <= last)


def make_easter_mixed(rng):
    """From a date to Easter or back; both lie in the same year."""
    days = rng.randint(-5, 5)
    if rng.random() < 0.5:
        month, day = rng.choice(((1, 7), (2, 1), (3, 1)))
        return Selector("%s %02d-%s" % (MONTHS[month - 1], day, offset_text(days)),
                        lambda d: day_of(d.year, month, day) <= d.number <= easter(d.year) + days)
    month, day = rng.choice(((5, 8), (6, 30), (12, 24)))
    return Selector("%s-%s %02d" % (offset_text(days), MONTHS[month - 1], day),
                    lambda d: easter(d.year) + days <= d.number <= day_of(d.year, month, day))


def nth_weekday(year, month, weekday_number, nth):
    """The nth weekday of a month, from the end when nth is negative; None when the month has not so many."""
    first = day_of(year, month, 1)
    after = day_of(year, month + 1, 1) if month < 12 else day_of(year + 1, 1, 1)
    days = [n for n in range(first, after) if weekday(n) == weekday_number]
    return days[nth - 1 if nth > 0 else nth] if abs(nth) <= len(days) else None


def make_nth_dates(rng):
    """From the nth weekday of a month to that of another: Mar Su[-1]-Oct Su[-1]."""
    a, b = sorted(rng.sample(range(1, 13), 2))
    wa, wb = rng.randrange(7), rng.randrange(7)
    na, nb = rng.choice((1, 2, 3, 4, -1, -2)), rng.choice((1, 2, 3, 4, -1, -2))
    return Selector("%s %s[%d]-%s %s[%d]" % (MONTHS[a - 1], WEEKDAYS[wa], na, MONTHS[b - 1], WEEKDAYS[wb], nb),
                    lambda d: nth_weekday(d.year, a, wa, na) <= d.number <= nth_weekday(d.year, b, wb, nb))


def make_moved_date(rng):
    """A date some days off; it may lie in the next year or the one before."""
    month, day = random_day(rng)
    if (month, day) == (2, 29):
        day = 28
    days = rng.choice((-1, 1)) * rng.randint(1, 40)
    return Selector("%s %02d %s%d day%s" % (MONTHS[month - 1], day, "+" if days > 0 else "-", abs(days),
                                            "" if abs(days) == 1 else "s"),
                    lambda d: any(d.number == day_of(y, month, day) + days for y in (d.year - 1, d.year, d.year + 1)))


def make_years(rng, around):
    """A year or several; only four-digit years can be written."""
    texts, tests, bounds = [], [], []
    for _ in range(rng.choice((1, 1, 2))):
        first = around + rng.randint(-2, 1)
        last, step = first, 1
        kind = rng.random()
        text = "%04d" % first
        if kind > 0.9:
            last = 10 ** 9
            text += "+"
        elif kind > 0.4:
            last = first + rng.randint(1, 3)
            text += "-%04d" % last
            if rng.random() < 0.3:
                step = rng.randint(1, 3)
                text += "/%d" % step
        texts.append(text)
        tests.append((first, last, step))
        bounds += [first, last]
    return Selector(",".join(texts),
                    lambda d: any(a <= d.year <= b and (d.year - a) % s == 0 for a, b, s in tests),
                    (min(bounds), max(bounds)))


def make_weeks(rng):
    """Weeks of ISO 8601."""
    texts, weeks = [], set()
    for _ in range(rng.choice((1, 1, 2))):
        first = rng.choice((1, 9, 10, 12, 13, 40, 43, 44, 51, 52, 53, rng.randint(1, 53)))
        if rng.random() < 0.3:
            texts.append("%d" % first)
            weeks.add(first)
            continue
        last = rng.randint(first, 53)
        step = rng.choice((1, 1, 2, 3)) if last > first else 1
        texts.append("%d-%d%s" % (first, last, "/%d" % step if step > 1 else ""))
        weeks.update(range(first, last + 1, step))
    return Selector("week " + ",".join(texts), lambda d: d.week in weeks)


def make_dated(rng, around):
    """A date, month or easter of one year."""
    year = around + rng.randint(-1, 1)
    inner = rng.choice((make_date, make_date, make_month, make_easter))(rng)
    if "-" in inner.text and "easter" not in inner.text:
        first, last = inner.text.split("-")
        if MONTHS.index(first) > MONTHS.index(last):
            inner = make_date(rng)  # months that wrap do not stay in one year
    while inner.text == "Feb 29" and not leap(year):
        inner = make_date(rng)
    return Selector("%04d %s" % (year, inner.text),
                    lambda d: d.year == year and inner.matches(d), (year, year))


def make_dated_range(rng, around):
    year = around + rng.randint(-1, 1)
    first = random_day(rng)
    start = day_of(year, *first)
    if first == (2, 29) and not leap(year):
        first, start = (2, 28), day_of(year, 2, 28)
    end = start + rng.choice((1, 2, 5, 10, 40, 200, 400))
    last = civil(end)
    if last[0] == year and last[1] == first[0] and rng.random() < 0.5:
        text = "%04d %s %02d-%02d" % (year, MONTHS[first[0] - 1], first[1], last[2])
    else:
        text = "%04d %s %02d-%04d %s %02d" % (year, MONTHS[first[0] - 1], first[1],
                                              last[0], MONTHS[last[1] - 1], last[2])
    return Selector(text, lambda d: start <= d.number <= end, (year, last[0]))


class Nth:
    """The nth weekdays of a month, some days off."""

    def __init__(self, rng, first):
        self.weekday = first
        self.nths = rng.sample((1, 2, 3, 4, 5, -1, -2, -3, -5), rng.choice((1, 1, 2)))
        self.days = rng.choice((0, 0, 0, 1, -1, 2, -3))
        texts = [str(n) for n in self.nths]
        if rng.random() < 0.2:
            self.nths = [2, 3, 4]
            texts = ["2-4"]
        self.text = "%s[%s]" % (WEEKDAYS[first], ",".join(texts))
        if self.days:
            self.text += " %s%d day%s" % ("+" if self.days > 0 else "-", abs(self.days),
                                          "" if abs(self.days) == 1 else "s")

    def matches(self, date):
        year, month, _ = civil(date.number - self.days)
        return any(nth_weekday(year, month, self.weekday, n) == date.number - self.days for n in self.nths)


def make_weekdays(rng):
    """Weekday selector as text, set of weekdays, and list of numbered ones."""
    kind = rng.random()
    if kind < 0.35:
        return "Mo-Fr", frozenset(range(5)), []
    if kind < 0.45:
        return "Sa,Su", frozenset((5, 6)), []
    parts, days, nths = [], set(), []
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        first = rng.randrange(7)
        kind = rng.random()
        if kind < 0.4:
            parts.append(WEEKDAYS[first])
            days.add(first)
        elif kind < 0.52:
            nths.append(Nth(rng, first))
            parts.append(nths[-1].text)
        else:
            last = (first + rng.randint(1, 5)) % 7
            parts.append("%s-%s" % (WEEKDAYS[first], WEEKDAYS[last]))
            days.update(d for d in range(7) if between(d, first, last))
    return ",".join(parts), frozenset(days), nths


# Windows ------------------------------------------------------------------------------------------------

def clock_text(seconds):
    text = "%02d:%02d" % (seconds // 3600, seconds // 60 % 60)
    return text + ":%02d" % (seconds % 60) if seconds % 60 else text


def merge(windows):
    """Sorted, disjoint, not touching."""
    result = []
    for start, end in sorted(windows):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def cut(windows, holes):
    for hole_start, hole_end in holes:
        pieces = []
        for start, end in windows:
            if start < min(end, hole_start):
                pieces.append((start, min(end, hole_start)))
            if max(start, hole_end) < end:
                pieces.append((max(start, hole_end), end))
        windows = pieces
    return windows


def random_clock(rng, seconds):
    kind = rng.random()
    if kind < 0.45:
        return 3600 * rng.randrange(24)
    if kind < 0.6:
        return rng.choice((0, 0, 1800, 3600, 5400, 7200, 9000, 10800, 82800, 84600, 86340))
    if kind < 0.85:
        return 900 * rng.randrange(96)
    if kind < 0.95 or not seconds:
        return 60 * rng.randrange(1440)
    return rng.randrange(DAY)


def make_times(rng, seconds):
    """Windows of a rule as text and list; an end at or before the start lies on the next day."""
    texts, windows = [], []
    kind = rng.random()
    if kind < 0.25:
        pairs = [rng.choice(((8, 16), (9, 17), (8.5, 17), (0, 24), (22, 30), (7, 15)))]
        pairs = [(int(a * 3600), int(b * 3600)) for a, b in pairs]
    elif kind < 0.4:
        pairs = [(8 * 3600, 12 * 3600), (13 * 3600, 17 * 3600)]
    else:
        pairs = []
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            start = random_clock(rng, seconds)
            if rng.random() < 0.7:
                end = start + rng.choice((1, 2, 3, 4, 8)) * rng.choice((900, 1800, 3600))
                if seconds and rng.random() < 0.1:
                    end = start + rng.choice((1, 59, 61, 3601))
            else:
                end = random_clock(rng, seconds)
                if end <= start:
                    end += DAY
            pairs.append((start, end))
    for start, end in pairs:
        if end - start > DAY:
            end = start + DAY
        shown = end
        if end > DAY and rng.random() < 0.7:
            shown = end - DAY       # 22:00-06:00 for 22:00-30:00
        texts.append("%s-%s" % (clock_text(start), clock_text(shown)))
        windows.append((start, end))
    return ",".join(texts), merge(windows)


# Rules and schedules --------------------------------------------------------------------------------------

class Rule:
    def __init__(self):
        self.separator = ";"        # before it; "," adds, "||" adds and closes nothing
        self.dates = []             # selectors, of which one must match; empty for all dates
        self.also = []              # selectors of years and weeks, which must all match
        self.weekdays = None        # set, or None for all
        self.nths = []              # weekdays of a month, in addition to weekdays
        self.holidays = None        # None, "or" (a holiday matches as well), "and" (it must be one)
        self.windows = [(0, DAY)]
        self.timed = False          # windows are written
        self.off = False
        self.text = ""
        self.ended = False          # ends in windows, a state or a comment, not in a selector

    def matches(self, date):
        if self.dates and not any(s.matches(date) for s in self.dates):
            return False
        if not all(s.matches(date) for s in self.also):
            return False
        if self.weekdays is None:
            return date.holiday if self.holidays else True
        on_weekday = date.weekday in self.weekdays or any(n.matches(date) for n in self.nths)
        if self.holidays == "and":
            return date.holiday and on_weekday
        return on_weekday or self.holidays == "or" and date.holiday

    def years(self):
        """(first, last) of the years in which it matches, or None for all."""
        bounds = [s.years for s in self.also if s.years]
        if self.dates and all(s.years for s in self.dates):
            bounds.append((min(s.years[0] for s in self.dates), max(s.years[1] for s in self.dates)))
        bounds = [b for b in bounds if b[1] < 10 ** 6]
        return (max(b[0] for b in bounds), min(b[1] for b in bounds)) if bounds else None


class Schedule:
    """Rules with holidays (a set of dates), of which some have hours of their own (date: windows)."""

    def __init__(self, rules, holidays, special, text):
        self.rules = rules
        self.holidays = holidays
        self.special = special
        self.text = text
        self.names_holidays = any(r.holidays is not None for r in rules)

    def windows(self, number):
        """The windows that begin on a date, merged."""
        date = Date(number, number in self.holidays)
        if number in self.special:
            return self.special[number]
        if date.holiday and not self.names_holidays:
            return []
        windows = []
        for rule in self.rules:
            if not rule.matches(date):
                continue
            if rule.off and rule.separator == "||":
                continue
            if rule.off:
                windows = cut(windows, rule.windows) if rule.timed else []
            elif rule.separator != ";":
                windows = windows + rule.windows
            else:
                windows = rule.windows
        return merge(windows)

    def years(self):
        """(first, last) year with open time, when the rules name years only; else None."""
        bounds = [r.years() for r in self.rules if not r.off]
        if None in bounds or self.special:
            return None
        return min(b[0] for b in bounds), max(b[1] for b in bounds)


def vary(rng, text):
    """Harmless differences of writing."""
    if rng.random() < 0.08:
        text += ' "%s"' % rng.choice(("by appointment", "office; closed, off", "8 || 9", "Mo-Fr"))
    return text


def make_rule(rng, previous, around, seconds, bounded):
    rule = Rule()
    first = previous is None
    if not first:
        rule.separator = rng.choices((";", ",", "||"), (60, 30, 10))[0]
    named = 1 <= around - 3 and around + 5 <= 9999
    parts = []
    kind = rng.random()
    if bounded or kind < (0.12 if first else 0.65):
        makers = []
        if not bounded:
            makers = [make_month, make_date, make_date, make_date_range, make_easter, make_easter,
                      make_easter_mixed, make_nth_dates, make_moved_date]
        if named or bounded:
            makers += [lambda r: make_dated(r, around), lambda r: make_dated_range(r, around)]
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            rule.dates.append(rng.choice(makers)(rng))
        rule.dates.sort(key=lambda s: s.years is not None)  # a year could be read as going on
        if named and not bounded and rng.random() < 0.15:
            rule.also.append(make_years(rng, around))
            # "2026 Nov-Feb" would end in 2027, and "2026 May 1,May 17" is refused.
            if rng.random() < 0.5 or len(rule.also[0].text) == 4:
                rule.dates = []
            else:
                rule.dates = [s for s in rule.dates if not s.years]
        parts += [s.text for s in rule.also]
        if rule.dates:
            parts.append(",".join(s.text for s in rule.dates))
    if rng.random() < 0.08:
        rule.also.append(make_weeks(rng))
        parts.append(rule.also[-1].text)
    selects = bool(rule.dates or rule.also)
    with_weekdays = not selects or rng.random() < 0.25
    if not first and rng.random() < 0.2:
        rule.holidays = "or"
    if with_weekdays and rng.random() < (0.5 if rule.holidays else 0.9):
        text, rule.weekdays, rule.nths = make_weekdays(rng)
        if rule.holidays:
            kind = rng.random()
            if kind < 0.3:
                rule.holidays = "and"
                text = "PH " + text
            else:
                text = text + ",PH" if kind < 0.6 else "PH," + text
        parts.append(text)
    elif rule.holidays:
        parts.append("PH")
    selects = bool(parts)
    rule.off = not first and rng.random() < (0.45 if parts else 0.1)
    whole = rng.random() < (0.75 if rule.off else 0.08)
    if not whole or not parts:
        text, rule.windows = make_times(rng, seconds)
        rule.timed = True
        parts.append(text)
    if rule.off:
        parts.append(rng.choice(("off", "off", "off", "closed")))
    elif rng.random() < 0.04:
        parts.append("open")
    rule.text = vary(rng, " ".join(parts))
    rule.ended = rule.timed or rule.text.endswith(('"', "off", "closed", "open"))
    # In "Mo 8:00-9:00, 10:00-11:00" and "Mo, Tu 10:00-11:00" the comma would not begin a rule.
    if rule.separator == "," and not (previous.ended and selects):
        rule.separator = ";"
    return rule


def make_schedule(rng, around, seconds=True, near=None):
    """A random schedule whose named years lie about the given one, and half of its holidays soon after a day."""
    if rng.random() < 0.015:
        rule = Rule()
        rule.text = "24/7"
        rules = [rule]
    else:
        bounded = 1 <= around - 3 and around + 5 <= 9999 and rng.random() < 0.08
        rules = []
        for _ in range(rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 7))):
            rules.append(make_rule(rng, rules[-1] if rules else None, around, seconds, bounded))
    text = rules[0].text
    for rule in rules[1:]:
        text += {";": rng.choice(("; ", "; ", ";")), ",": ", ", "||": " || "}[rule.separator] + rule.text
    holidays, special = set(), {}
    if 3 <= around <= 9996 and rng.random() < 0.4:
        for _ in range(rng.choice((1, 3, 10))):
            day = day_of(around, 1, 1) + rng.randint(-400, 700)
            if near is not None and rng.random() < 0.5:
                day = near + rng.randint(0, 100)
            holidays.add(day)
            kind = rng.random()
            if kind < 0.1:
                special[day] = []
            elif kind < 0.25:
                special[day] = make_times(rng, seconds)[1]
    return Schedule(rules, holidays, special if rng.random() < 0.5 else {}, text)
